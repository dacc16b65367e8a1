// Philox on eight counters a register: each word in a 64-bit lane of its own whose upper half is rubbish, since the
// 32·32-bit product reads lower halves only, so that no word is ever shuffled.
#include "kernels/noise_parts.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX512

namespace bitsweep::kernels {
namespace {

constexpr int kRegisters = static_cast<int>(kCounters) / 8;

inline __attribute__((always_inline)) __m512i both(uint32_t word) {
  return _mm512_set1_epi64(static_cast<int64_t>(uint64_t{word}));
}

void block_bits(uint64_t key, uint64_t row, uint32_t block, uint32_t* bits) {
  __m512i c0[kRegisters], c1[kRegisters], c2[kRegisters], c3[kRegisters];
  const __m512i m0 = both(kPhiloxMultiplier0), m1 = both(kPhiloxMultiplier1);
  const __m512i lanes = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
  const int64_t first = static_cast<int64_t>(uint64_t{block} * kCounters);
#pragma GCC unroll 2
  for (int g = 0; g < kRegisters; ++g) {
    c0[g] = _mm512_add_epi64(lanes, _mm512_set1_epi64(first + 8 * g));
    c1[g] = both(static_cast<uint32_t>(row));
    c2[g] = both(static_cast<uint32_t>(row >> 32));
    c3[g] = _mm512_setzero_si512();
  }
  auto k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < kPhiloxRounds; ++round, k0 += kPhiloxStep0, k1 += kPhiloxStep1) {
    const __m512i key0 = both(k0), key1 = both(k1);
#pragma GCC unroll 2
    for (int g = 0; g < kRegisters; ++g) {
      const __m512i p0 = _mm512_mul_epu32(c0[g], m0), p1 = _mm512_mul_epu32(c2[g], m1);
      c0[g] = _mm512_xor_si512(_mm512_xor_si512(_mm512_srli_epi64(p1, 32), c1[g]), key0);
      c1[g] = p1;
      c2[g] = _mm512_xor_si512(_mm512_xor_si512(_mm512_srli_epi64(p0, 32), c3[g]), key1);
      c3[g] = p0;
    }
  }
  __m256i* words = reinterpret_cast<__m256i*>(bits);
#pragma GCC unroll 2
  for (int g = 0; g < kRegisters; ++g) {
    _mm256_storeu_si256(words + g, _mm512_cvtepi64_epi32(c0[g]));
    _mm256_storeu_si256(words + 2 + g, _mm512_cvtepi64_epi32(c1[g]));
    _mm256_storeu_si256(words + 4 + g, _mm512_cvtepi64_epi32(c2[g]));
    _mm256_storeu_si256(words + 6 + g, _mm512_cvtepi64_epi32(c3[g]));
  }
}

}  // namespace

void noise_bits_avx512(uint64_t key, uint64_t row, int64_t rows, int64_t blocks, uint32_t* bits, int64_t step) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t b = 0; b < blocks; ++b)
      block_bits(key, row + static_cast<uint64_t>(r), static_cast<uint32_t>(b), bits + r * step + b * kNoiseBlock);
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
