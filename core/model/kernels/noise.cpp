#include "kernels/noise.h"

#include "kernels/buffer.h"
#include "kernels/noise_parts.h"

namespace bitsweep::kernels {
namespace {

void block_bits(uint64_t key, uint64_t row, uint32_t block, uint32_t* bits) {
  for (int64_t lane = 0; lane < kCounters; ++lane) {
    uint32_t c0 = block * static_cast<uint32_t>(kCounters) + static_cast<uint32_t>(lane),
             c1 = static_cast<uint32_t>(row);
    uint32_t c2 = static_cast<uint32_t>(row >> 32), c3 = 0;
    auto k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
    for (int round = 0; round < kPhiloxRounds; ++round, k0 += kPhiloxStep0, k1 += kPhiloxStep1) {
      const uint64_t p0 = uint64_t{c0} * kPhiloxMultiplier0, p1 = uint64_t{c2} * kPhiloxMultiplier1;
      c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
      c1 = static_cast<uint32_t>(p1);
      c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
      c3 = static_cast<uint32_t>(p0);
    }
    bits[lane] = c0;
    bits[kCounters + lane] = c1;
    bits[2 * kCounters + lane] = c2;
    bits[3 * kCounters + lane] = c3;
  }
}

void noise_bits_plain(uint64_t key, uint64_t row, int64_t rows, int64_t blocks, uint32_t* bits, int64_t step) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t b = 0; b < blocks; ++b)
      block_bits(key, row + static_cast<uint64_t>(r), static_cast<uint32_t>(b), bits + r * step + b * kNoiseBlock);
}

BITSWEEP_CLONES void gumbel_of(const uint32_t* bits, int64_t count, float* out) { gumbel_of_bits(bits, count, out); }

}  // namespace

NoiseBits noise_bits(Isa isa) {
#ifdef BITSWEEP_INTRINSICS
  if (isa == Isa::avx512 || isa == Isa::avx512_vpopcnt) return noise_bits_avx512;
  if (isa == Isa::avx2) return noise_bits_avx2;
#endif
  return noise_bits_plain;
}

void gumbel_row(uint64_t key, uint64_t row, float* out, int64_t columns) {
  thread_local Buffer<uint32_t> buffer;
  const int64_t blocks = noise_blocks(columns);
  uint32_t* bits = buffer.at_least(blocks * kNoiseBlock);
  noise_bits(current_isa())(key, row, 1, blocks, bits, 0);
  for (int64_t j = 0; j < columns; j += kNoiseBlock) gumbel_of(bits + j, kNoiseBlock, out + j);
}

}  // namespace bitsweep::kernels
