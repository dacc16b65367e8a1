// Standard Gumbel noise that depends on its place alone: Philox4x32-10 (Salmon et al. 2011) over (column, row) and a
// key, then −ln(−ln u). Every instruction set gives the same bits.
#pragma once

#include <cstdint>

#include "kernels/isa.h"

namespace bitsweep::kernels {

inline constexpr int64_t kNoiseBlock = 64;

// 32 random bits each of columns [0, 64·blocks) of rows [row, row + rows), written `step` numbers apart: word w of the
// counter (16·block + lane, row) serves column 64·block + 16·w + lane.
using NoiseBits = void (*)(uint64_t key, uint64_t row, int64_t rows, int64_t blocks, uint32_t* bits, int64_t step);
NoiseBits noise_bits(Isa isa);

constexpr int64_t noise_blocks(int64_t columns) { return (columns + kNoiseBlock - 1) / kNoiseBlock; }

// Row `row` of the stream `key`: out[0, columns), with room for columns rounded up to kNoiseBlock.
void gumbel_row(uint64_t key, uint64_t row, float* out, int64_t columns);

}  // namespace bitsweep::kernels
