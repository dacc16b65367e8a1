// Philox on four counters a register: each word in a 64-bit lane of its own whose upper half is rubbish, since the
// 32·32-bit product reads lower halves only, so that no word is ever shuffled. A counter is (column, row, 0): of the
// first two rounds each product is of one of them alone, so that a block of columns and a row make theirs once.
#include "kernels/noise_parts.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX2

namespace bitsweep::kernels {
namespace {

constexpr int kRegisters = static_cast<int>(kCounters) / 4;
constexpr int kAtOnce = 2;  // their words and products fit into the registers, and the CPU overlaps two such halves

inline __attribute__((always_inline)) __m256i both(uint32_t word) {
  return _mm256_set1_epi64x(static_cast<int64_t>(uint64_t{word}));
}

struct Keys {
  __m256i k0[kPhiloxRounds], k1[kPhiloxRounds];
};

// Of a block after two rounds: what c0 and c2 are but for the row's share, and c1 with the third round's key.
struct BlockShare {
  __m256i c0[kRegisters], c1[kRegisters], c2[kRegisters];
};

// Registers 2h and 2h + 1 hold counters 8h + {0, 1, 4, 5} and 8h + {2, 3, 6, 7}, so that words_of needs no permutation.
inline __attribute__((always_inline)) void share_of_block(int64_t block, const Keys& keys, BlockShare& share) {
  const __m256i m0 = both(kPhiloxMultiplier0), m1 = both(kPhiloxMultiplier1);
  for (int g = 0; g < kRegisters; ++g) {
    const int64_t first = block * kCounters + g / 2 * 8 + g % 2 * 2;
    const __m256i p0 = _mm256_mul_epu32(_mm256_setr_epi64x(first, first + 1, first + 4, first + 5), m0);
    const __m256i p1 = _mm256_mul_epu32(_mm256_xor_si256(_mm256_srli_epi64(p0, 32), keys.k1[0]), m1);
    share.c0[g] = _mm256_srli_epi64(p1, 32);
    share.c1[g] = _mm256_xor_si256(p1, keys.k0[2]);
    share.c2[g] = p0;
  }
}

// The row's shares of c0 and c2 after two rounds, and its c3 with the third round's key.
struct RowShare {
  __m256i c0, c2, c3;
};

inline __attribute__((always_inline)) void share_of_row(uint64_t key, uint64_t row, RowShare& share) {
  const auto k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  const uint64_t p1 = (row >> 32) * kPhiloxMultiplier1;
  const uint32_t c0 = static_cast<uint32_t>(p1 >> 32) ^ static_cast<uint32_t>(row) ^ k0;
  const uint64_t p0 = uint64_t{c0} * kPhiloxMultiplier0;
  share.c0 = both(static_cast<uint32_t>(p1) ^ (k0 + kPhiloxStep0));
  share.c2 = both(static_cast<uint32_t>(p0 >> 32) ^ (k1 + kPhiloxStep1));
  share.c3 = both(static_cast<uint32_t>(p0) ^ (k1 + 2 * kPhiloxStep1));
}

// The eight words of two registers, in order: these hold counters 0, 1, 4, 5 and 2, 3, 6, 7.
inline __attribute__((always_inline)) __m256i words_of(__m256i first, __m256i second) {
  return _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(first), _mm256_castsi256_ps(second), 0b10001000));
}

// Registers [first, first + kAtOnce) of a block.
inline __attribute__((always_inline)) void half_of_block(const Keys& keys, const BlockShare& block, const RowShare& row,
                                                         int first, uint32_t* bits) {
  __m256i c0[kAtOnce], c1[kAtOnce], c2[kAtOnce], c3[kAtOnce];
  const __m256i m0 = both(kPhiloxMultiplier0), m1 = both(kPhiloxMultiplier1);
#pragma GCC unroll 2
  for (int g = 0; g < kAtOnce; ++g) {
    c1[g] = _mm256_mul_epu32(_mm256_xor_si256(block.c2[first + g], row.c2), m1);
    c3[g] = _mm256_mul_epu32(_mm256_xor_si256(block.c0[first + g], row.c0), m0);
    c0[g] = _mm256_xor_si256(_mm256_srli_epi64(c1[g], 32), block.c1[first + g]);
    c2[g] = _mm256_xor_si256(_mm256_srli_epi64(c3[g], 32), row.c3);
  }
#pragma GCC unroll 10
  for (int round = 3; round < kPhiloxRounds; ++round) {
#pragma GCC unroll 2
    for (int g = 0; g < kAtOnce; ++g) {
      const __m256i p0 = _mm256_mul_epu32(c0[g], m0), p1 = _mm256_mul_epu32(c2[g], m1);
      c0[g] = _mm256_xor_si256(_mm256_srli_epi64(p1, 32), _mm256_xor_si256(c1[g], keys.k0[round]));
      c1[g] = p1;
      c2[g] = _mm256_xor_si256(_mm256_srli_epi64(p0, 32), _mm256_xor_si256(c3[g], keys.k1[round]));
      c3[g] = p0;
    }
  }
  __m256i* words = reinterpret_cast<__m256i*>(bits) + first / kAtOnce;
  _mm256_storeu_si256(words, words_of(c0[0], c0[1]));
  _mm256_storeu_si256(words + 2, words_of(c1[0], c1[1]));
  _mm256_storeu_si256(words + 4, words_of(c2[0], c2[1]));
  _mm256_storeu_si256(words + 6, words_of(c3[0], c3[1]));
}

}  // namespace

void noise_bits_avx2(uint64_t key, uint64_t row, int64_t rows, int64_t blocks, uint32_t* bits, int64_t step) {
  Keys keys;
  auto k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < kPhiloxRounds; ++round, k0 += kPhiloxStep0, k1 += kPhiloxStep1) {
    keys.k0[round] = both(k0);
    keys.k1[round] = both(k1);
  }
  BlockShare of_block;
  RowShare of_row;
  for (int64_t b = 0; b < blocks; ++b) {
    share_of_block(b, keys, of_block);
    for (int64_t r = 0; r < rows; ++r) {
      share_of_row(key, row + static_cast<uint64_t>(r), of_row);
      half_of_block(keys, of_block, of_row, 0, bits + r * step + b * kNoiseBlock);
      half_of_block(keys, of_block, of_row, kAtOnce, bits + r * step + b * kNoiseBlock);
    }
  }
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
