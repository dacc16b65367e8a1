// Philox on four counters a register: each word in a 64-bit lane of its own whose upper half is rubbish, since the
// 32·32-bit product reads lower halves only, so that no word is ever shuffled. Four registers at a time, or the ten
// rounds would wait for each other.
#include "kernels/noise_parts.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX2

namespace bitsweep::kernels {
namespace {

constexpr int kRegisters = static_cast<int>(kCounters) / 4;

inline __attribute__((always_inline)) __m256i both(uint32_t word) {
  return _mm256_set1_epi64x(static_cast<int64_t>(uint64_t{word}));
}

// The eight words of two registers, in order.
inline __attribute__((always_inline)) __m256i words_of(__m256i first, __m256i second) {
  const __m256 mixed = _mm256_shuffle_ps(_mm256_castsi256_ps(first), _mm256_castsi256_ps(second), 0b10001000);
  return _mm256_permute4x64_epi64(_mm256_castps_si256(mixed), 0b11011000);
}

}  // namespace

void noise_bits_avx2(uint64_t key, uint64_t row, uint32_t block, uint32_t* bits) {
  __m256i c0[kRegisters], c1[kRegisters], c2[kRegisters], c3[kRegisters];
  const __m256i m0 = both(kPhiloxMultiplier0), m1 = both(kPhiloxMultiplier1);
  const int64_t first = static_cast<int64_t>(uint64_t{block} * kCounters);
#pragma GCC unroll 4
  for (int g = 0; g < kRegisters; ++g) {
    c0[g] = _mm256_setr_epi64x(first + 4 * g, first + 4 * g + 1, first + 4 * g + 2, first + 4 * g + 3);
    c1[g] = both(static_cast<uint32_t>(row));
    c2[g] = both(static_cast<uint32_t>(row >> 32));
    c3[g] = _mm256_setzero_si256();
  }
  auto k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < kPhiloxRounds; ++round, k0 += kPhiloxStep0, k1 += kPhiloxStep1) {
    const __m256i key0 = both(k0), key1 = both(k1);
#pragma GCC unroll 4
    for (int g = 0; g < kRegisters; ++g) {
      const __m256i p0 = _mm256_mul_epu32(c0[g], m0), p1 = _mm256_mul_epu32(c2[g], m1);
      c0[g] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p1, 32), c1[g]), key0);
      c1[g] = p1;
      c2[g] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p0, 32), c3[g]), key1);
      c3[g] = p0;
    }
  }
  __m256i* words = reinterpret_cast<__m256i*>(bits);
#pragma GCC unroll 2
  for (int half = 0; half < 2; ++half) {
    _mm256_storeu_si256(words + half, words_of(c0[2 * half], c0[2 * half + 1]));
    _mm256_storeu_si256(words + 2 + half, words_of(c1[2 * half], c1[2 * half + 1]));
    _mm256_storeu_si256(words + 4 + half, words_of(c2[2 * half], c2[2 * half + 1]));
    _mm256_storeu_si256(words + 6 + half, words_of(c3[2 * half], c3[2 * half + 1]));
  }
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
