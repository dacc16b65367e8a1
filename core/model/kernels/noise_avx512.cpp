// Philox on eight counters a register, as noise_avx2.cpp on four: each word in a 64-bit lane of its own whose upper
// half is rubbish; of the first two rounds a block of columns and a row make their shares once.
#include <algorithm>

#include "kernels/noise_parts.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX512

namespace bitsweep::kernels {
namespace {

#define BITSWEEP_AVX512_INLINE inline __attribute__((always_inline))

constexpr int kRegisters = static_cast<int>(kCounters) / 8;
constexpr int64_t kRowsAtOnce = 16;

BITSWEEP_AVX512_INLINE __m512i both(uint64_t word) { return _mm512_set1_epi64(static_cast<int64_t>(word)); }

// One instruction.
BITSWEEP_AVX512_INLINE __m512i xor_of(__m512i a, __m512i b, __m512i c) {
  return _mm512_xor_si512(_mm512_xor_si512(a, b), c);
}

BITSWEEP_AVX512_INLINE __m512i upper(__m512i product) { return _mm512_srli_epi64(product, 32); }

struct Keys {
  __m512i k0[kPhiloxRounds], k1[kPhiloxRounds];
};

// Of a block after two rounds: what c0 and c2 are but for the row's share, and c1 with the third round's key.
struct BlockShare {
  __m512i c0[kRegisters], c1[kRegisters], c2[kRegisters];
};

// The registers hold counters {0, 1, 4, 5, 8, 9, 12, 13} and those two further on, so that words_of needs no
// permutation.
BITSWEEP_AVX512_INLINE void share_of_block(int64_t block, const Keys& keys, BlockShare& share) {
  const __m512i m0 = both(kPhiloxMultiplier0), m1 = both(kPhiloxMultiplier1);
  const __m512i lanes = _mm512_set_epi64(13, 12, 9, 8, 5, 4, 1, 0);
#pragma GCC unroll 2
  for (int g = 0; g < kRegisters; ++g) {
    const __m512i counters = _mm512_add_epi64(lanes, _mm512_set1_epi64(block * kCounters + 2 * g));
    const __m512i p0 = _mm512_mul_epu32(counters, m0);
    const __m512i p1 = _mm512_mul_epu32(_mm512_xor_si512(upper(p0), keys.k1[0]), m1);
    share.c0[g] = upper(p1);
    share.c1[g] = _mm512_xor_si512(p1, keys.k0[2]);
    share.c2[g] = p0;
  }
}

// The row's shares of c0 and c2 after two rounds, and its c3 with the third round's key.
struct RowShare {
  uint64_t c0, c2, c3;
};

RowShare share_of_row(uint64_t key, uint64_t row) {
  const auto k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  const uint64_t p1 = (row >> 32) * kPhiloxMultiplier1;
  const uint32_t c0 = static_cast<uint32_t>(p1 >> 32) ^ static_cast<uint32_t>(row) ^ k0;
  const uint64_t p0 = uint64_t{c0} * kPhiloxMultiplier0;
  return {.c0 = static_cast<uint32_t>(p1) ^ (k0 + kPhiloxStep0),
          .c2 = static_cast<uint32_t>(p0 >> 32) ^ (k1 + kPhiloxStep1),
          .c3 = static_cast<uint32_t>(p0) ^ (k1 + 2 * kPhiloxStep1)};
}

// The sixteen words of the two registers, in order.
BITSWEEP_AVX512_INLINE __m512i words_of(const __m512i (&c)[kRegisters]) {
  return _mm512_castps_si512(_mm512_shuffle_ps(_mm512_castsi512_ps(c[0]), _mm512_castsi512_ps(c[1]), 0b10001000));
}

BITSWEEP_AVX512_INLINE void block_bits(const Keys& keys, const BlockShare& block, const RowShare& row, uint32_t* bits) {
  __m512i c0[kRegisters], c1[kRegisters], c2[kRegisters], c3[kRegisters];
  const __m512i m0 = both(kPhiloxMultiplier0), m1 = both(kPhiloxMultiplier1);
#pragma GCC unroll 2
  for (int g = 0; g < kRegisters; ++g) {
    c1[g] = _mm512_mul_epu32(_mm512_xor_si512(block.c2[g], both(row.c2)), m1);
    c3[g] = _mm512_mul_epu32(_mm512_xor_si512(block.c0[g], both(row.c0)), m0);
    c0[g] = _mm512_xor_si512(upper(c1[g]), block.c1[g]);
    c2[g] = _mm512_xor_si512(upper(c3[g]), both(row.c3));
  }
#pragma GCC unroll 10
  for (int round = 3; round < kPhiloxRounds; ++round) {
#pragma GCC unroll 2
    for (int g = 0; g < kRegisters; ++g) {
      const __m512i p0 = _mm512_mul_epu32(c0[g], m0), p1 = _mm512_mul_epu32(c2[g], m1);
      c0[g] = xor_of(upper(p1), c1[g], keys.k0[round]);
      c1[g] = p1;
      c2[g] = xor_of(upper(p0), c3[g], keys.k1[round]);
      c3[g] = p0;
    }
  }
  _mm512_storeu_si512(bits, words_of(c0));
  _mm512_storeu_si512(bits + kCounters, words_of(c1));
  _mm512_storeu_si512(bits + 2 * kCounters, words_of(c2));
  _mm512_storeu_si512(bits + 3 * kCounters, words_of(c3));
}

}  // namespace

void noise_bits_avx512(uint64_t key, uint64_t row, int64_t rows, int64_t blocks, uint32_t* bits, int64_t step) {
  Keys keys;
  auto k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < kPhiloxRounds; ++round, k0 += kPhiloxStep0, k1 += kPhiloxStep1) {
    keys.k0[round] = both(k0);
    keys.k1[round] = both(k1);
  }
  RowShare shares[kRowsAtOnce];
  BlockShare of_block;
  for (int64_t first = 0; first < rows; first += kRowsAtOnce) {
    const int64_t count = std::min(kRowsAtOnce, rows - first);
    for (int64_t r = 0; r < count; ++r) shares[r] = share_of_row(key, row + static_cast<uint64_t>(first + r));
    for (int64_t b = 0; b < blocks; ++b) {
      share_of_block(b, keys, of_block);
      uint32_t* to = bits + first * step + b * kNoiseBlock;
      for (int64_t r = 0; r < count; ++r) block_bits(keys, of_block, shares[r], to + r * step);
    }
  }
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
