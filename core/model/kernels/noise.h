// Standard Gumbel noise that depends on its place alone: Philox4x32-10 (Salmon et al. 2011) over (column, row) and a
// key, then −ln(−ln u). Every instruction set gives the same bits.
#pragma once

#include <cstdint>

#include "kernels/isa.h"

namespace bitsweep::kernels {

inline constexpr int64_t kNoiseBlock = 64;

// The 32 random bits of columns [64·block, 64·block + 64) of a row: word w of the counter (16·block + lane, row) serves
// column 64·block + 16·w + lane.
using NoiseBits = void (*)(uint64_t key, uint64_t row, uint32_t block, uint32_t* bits);
NoiseBits noise_bits(Isa isa);

// Row `row` of the stream `key`: out[0, columns), with room for columns rounded up to kNoiseBlock.
void gumbel_row(uint64_t key, uint64_t row, float* out, int64_t columns);

}  // namespace bitsweep::kernels
