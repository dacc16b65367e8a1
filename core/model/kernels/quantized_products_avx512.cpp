// int16: vpermw looks five bits up for 32 columns, in the five terms' signed sums. 6 bits: AVX2's way twice as wide,
// or, with VBMI and VNNI, a register holds four terms' signed sums four times: vpermb looks 16 bits up for 16 columns,
// and vpdpbusd adds the four bytes to int32.
#include "kernels/quantized_product_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX512

namespace bitsweep::kernels {
namespace {

constexpr int kRows = kQuantizedRows;
constexpr int64_t kEntryBytes = 64;
constexpr int64_t kFives = 3;  // of an entry

inline __attribute__((always_inline)) __m512i load_of(const void* from) { return _mm512_loadu_si512(from); }

inline __attribute__((always_inline)) __m512i four_rows(const uint8_t* const rows[kRows], int64_t at) {
  __m512i out = _mm512_castsi128_si512(_mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[0] + at)));
  out = _mm512_inserti32x4(out, _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[1] + at)), 1);
  out = _mm512_inserti32x4(out, _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[2] + at)), 2);
  return _mm512_inserti32x4(out, _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[3] + at)), 3);
}

// How the 32 sums of five terms come of the eight of the first three and the four of the last two, of four rows at
// once: a row lies in 128 bits.
struct FiveTerms {
  alignas(64) uint8_t place[5][64];   // which bytes of the terms
  alignas(64) int16_t negate[5][32];  // all bits where a term is taken with −
  alignas(64) int16_t least[2][32];   // what x ^ negate lacks of −x, added up: terms 0 to 2, and 3 and 4
  alignas(64) int16_t spread[4][32];  // of a row's four sums of two, which for each of 32
};
constexpr FiveTerms five_terms() {
  FiveTerms terms{};
  for (int i = 0; i < 32; ++i) {
    for (int t = 0; t < 5; ++t) {
      const int e = i % 8, bit = t < 3 ? e >> t & 1 : e >> (t - 3) & 1;
      terms.place[t][2 * i] = static_cast<uint8_t>(2 * t);
      terms.place[t][2 * i + 1] = static_cast<uint8_t>(2 * t + 1);
      terms.negate[t][i] = static_cast<int16_t>(-bit);
      terms.least[t / 3][i] = static_cast<int16_t>(terms.least[t / 3][i] + bit);
    }
    for (int q = 0; q < 4; ++q) terms.spread[q][i] = static_cast<int16_t>(8 * q + i / 8);
  }
  return terms;
}
constexpr FiveTerms kFiveTerms = five_terms();

inline __attribute__((always_inline)) __m512i signed_term(__m512i rows, int t) {
  return _mm512_xor_si512(_mm512_shuffle_epi8(rows, load_of(kFiveTerms.place[t])), load_of(kFiveTerms.negate[t]));
}

template <int Row>
inline __attribute__((always_inline)) void store_fives(__m512i threes, __m512i twos, uint8_t* to) {
  const __m512i three = _mm512_shuffle_i32x4(threes, threes, Row * 0x55);
  const __m512i two = _mm512_permutexvar_epi16(load_of(kFiveTerms.spread[Row]), twos);
  _mm512_store_si512(to + Row * 64, _mm512_add_epi16(three, two));
}

inline __attribute__((always_inline)) void widen(__m512i sums, bool add, int32_t* to) {
  __m512i low = _mm512_cvtepi16_epi32(_mm512_castsi512_si256(sums));
  __m512i high = _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(sums, 1));
  if (add) {
    low = _mm512_add_epi32(low, load_of(to));
    high = _mm512_add_epi32(high, load_of(to + 16));
  }
  _mm512_storeu_si512(to, low);
  _mm512_storeu_si512(to + 16, high);
}

template <int Blocks>
inline __attribute__((always_inline)) void clear(__m512i sums[kRows][Blocks]) {
#pragma GCC unroll 4
  for (int q = 0; q < kRows; ++q)
#pragma GCC unroll 4
    for (int b = 0; b < Blocks; ++b) sums[q][b] = _mm512_setzero_si512();
}

template <int Blocks>
inline __attribute__((always_inline)) void keep(__m512i sums[kRows][Blocks]) {
#pragma GCC unroll 4
  for (int q = 0; q < kRows; ++q)
#pragma GCC unroll 4
    for (int b = 0; b < Blocks; ++b) BITSWEEP_IN_REGISTER(sums[q][b]);
}

// The 16-bit sums of `Blocks` blocks from `block` to 32 bits.
template <int Blocks>
inline __attribute__((always_inline)) void widen_all(const QuantizedTile& tile, int64_t block,
                                                     const __m512i sums[kRows][Blocks]) {
#pragma GCC unroll 4
  for (int q = 0; q < kRows; ++q)
#pragma GCC unroll 4
    for (int b = 0; b < Blocks; ++b)
      widen(sums[q][b], tile.add, tile.sums + q * tile.sums_step + (block + b) * kIndexColumns);
}

template <int Blocks>
__attribute__((noinline)) void add_fives16(const QuantizedTile& tile, int64_t block) {
  __m512i sums[kRows][Blocks];
  clear<Blocks>(sums);
  const uint8_t* index = tile.index + block * tile.index_step;
  const uint8_t* tables = tile.tables;
  for (int64_t e = tile.entries; e > 0; --e, index += kEntryBytes) {
    __m512i bits[Blocks];
#pragma GCC unroll 4
    for (int b = 0; b < Blocks; ++b) bits[b] = load_of(index + b * tile.index_step);
#pragma GCC unroll 3
    for (int64_t g = 0; g < kFives; ++g, tables += kRows * 64) {
      const __m512i t0 = load_of(tables), t1 = load_of(tables + 64);
      const __m512i t2 = load_of(tables + 128), t3 = load_of(tables + 192);
#pragma GCC unroll 4
      for (int b = 0; b < Blocks; ++b) {
        sums[0][b] = _mm512_add_epi16(sums[0][b], _mm512_permutexvar_epi16(bits[b], t0));
        sums[1][b] = _mm512_add_epi16(sums[1][b], _mm512_permutexvar_epi16(bits[b], t1));
        sums[2][b] = _mm512_add_epi16(sums[2][b], _mm512_permutexvar_epi16(bits[b], t2));
        sums[3][b] = _mm512_add_epi16(sums[3][b], _mm512_permutexvar_epi16(bits[b], t3));
        bits[b] = _mm512_srli_epi16(bits[b], 5);
      }
      keep<Blocks>(sums);
    }
  }
  widen_all<Blocks>(tile, block, sums);
}

template <int Blocks>
__attribute__((noinline)) void add_triples8(const QuantizedTile& tile, int64_t block) {
  const __m512i ones = _mm512_set1_epi8(1);
  __m512i sums[kRows][Blocks];
  clear<Blocks>(sums);
  const uint8_t* index = tile.index + block * tile.index_step;
  const uint8_t* tables = tile.tables;
  for (int64_t e = tile.entries; e > 0; --e, index += kEntryBytes, tables += kRows * 16) {
    __m512i bits[Blocks];
#pragma GCC unroll 4
    for (int b = 0; b < Blocks; ++b) bits[b] = load_of(index + b * tile.index_step);
#pragma GCC unroll 4
    for (int q = 0; q < kRows; ++q) {
      const __m512i table = _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(tables + q * 16)));
#pragma GCC unroll 4
      for (int b = 0; b < Blocks; ++b)
        sums[q][b] = _mm512_add_epi16(sums[q][b], _mm512_maddubs_epi16(ones, _mm512_shuffle_epi8(table, bits[b])));
    }
    keep<Blocks>(sums);
  }
  widen_all<Blocks>(tile, block, sums);
}

}  // namespace

void build_fives16_avx512(const void* const rows[kQuantizedRows], int64_t entries, uint8_t* tables) {
  const uint8_t* from[kRows];
  for (int q = 0; q < kRows; ++q) from[q] = static_cast<const uint8_t*>(rows[q]);
  for (int64_t g = 0; g < entries * kFives; ++g, tables += kRows * 64) {
    const __m512i x = four_rows(from, g * 10);
    __m512i threes = _mm512_add_epi16(signed_term(x, 0), signed_term(x, 1));
    threes = _mm512_add_epi16(threes, _mm512_add_epi16(signed_term(x, 2), load_of(kFiveTerms.least[0])));
    __m512i twos = _mm512_add_epi16(signed_term(x, 3), signed_term(x, 4));
    twos = _mm512_add_epi16(twos, load_of(kFiveTerms.least[1]));
    store_fives<0>(threes, twos, tables);
    store_fives<1>(threes, twos, tables);
    store_fives<2>(threes, twos, tables);
    store_fives<3>(threes, twos, tables);
  }
}

void fives16_tile_avx512(const QuantizedTile& tile) {
  constexpr int64_t kPartEntries = kInt16SumTerms / 15;
  QuantizedTile part = tile;
  for (int64_t left = tile.entries; left > 0; left -= kPartEntries) {
    part.entries = left < kPartEntries ? left : kPartEntries;
    int64_t block = 0;
    for (; block + 4 <= tile.blocks; block += 4) add_fives16<4>(part, block);
    if (tile.blocks - block == 3) add_fives16<3>(part, block);
    if (tile.blocks - block == 2) add_fives16<2>(part, block);
    if (tile.blocks - block == 1) add_fives16<1>(part, block);
    part.tables += kPartEntries * kFives * kRows * 64;
    part.index += kPartEntries * kEntryBytes;
    part.add = true;
  }
}

void triples8_tile_avx512(const QuantizedTile& tile) {
  int64_t block = 0;
  for (; block + 4 <= tile.blocks; block += 4) add_triples8<4>(tile, block);
  if (tile.blocks - block == 3) add_triples8<3>(tile, block);
  if (tile.blocks - block == 2) add_triples8<2>(tile, block);
  if (tile.blocks - block == 1) add_triples8<1>(tile, block);
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

BITSWEEP_BEGIN_AVX512_VPOPCNT

namespace bitsweep::kernels {
namespace {

// How the 16 sums of four terms come of the sums and differences of two: a row's register has eight Σ, then eight Δ in
// its 128 bits, and another all of these with −.
struct FourTerms {
  alignas(64) uint8_t even[64], odd[64];            // the first and second terms of pairs
  alignas(64) uint8_t first[4][64], second[4][64];  // of a row's sums, which of the 128
};
constexpr uint8_t pair_code(int row, int pair, int bits) {
  return static_cast<uint8_t>(row * 16 + pair + (bits == 1 || bits == 2 ? 8 : 0) + (bits & 1 ? 64 : 0));
}
constexpr FourTerms four_terms() {
  FourTerms terms{};
  for (int i = 0; i < 64; ++i) {
    terms.even[i] = static_cast<uint8_t>(2 * (i % 8));
    terms.odd[i] = static_cast<uint8_t>(2 * (i % 8) + 1);
    for (int q = 0; q < 4; ++q) {
      terms.first[q][i] = pair_code(q, i / 16 * 2, i & 3);
      terms.second[q][i] = pair_code(q, i / 16 * 2 + 1, i >> 2 & 3);
    }
  }
  return terms;
}
constexpr FourTerms kFourTerms = four_terms();

// `Blocks` registers of 16 columns.
template <int Blocks>
inline __attribute__((always_inline)) void add_fours8(const QuantizedTile& tile, int64_t block) {
  static_assert(Blocks % 2 == 0);
  const __m512i ones = _mm512_set1_epi8(1);
  __m512i sums[kRows][Blocks];
#pragma GCC unroll 4
  for (int q = 0; q < kRows; ++q)
#pragma GCC unroll 4
    for (int b = 0; b < Blocks; ++b) sums[q][b] = _mm512_setzero_si512();
  const uint8_t* index = tile.index + block * tile.index_step;
  const uint8_t* tables = tile.tables;
  for (int64_t e = tile.entries; e > 0; --e, index += 2 * kEntryBytes, tables += kRows * 64) {
    const __m512i t0 = _mm512_loadu_si512(tables), t1 = _mm512_loadu_si512(tables + 64);
    const __m512i t2 = _mm512_loadu_si512(tables + 128), t3 = _mm512_loadu_si512(tables + 192);
#pragma GCC unroll 4
    for (int b = 0; b < Blocks; ++b) {
      const __m512i bits = _mm512_loadu_si512(index + b / 2 * tile.index_step + b % 2 * kEntryBytes);
      sums[0][b] = _mm512_dpbusd_epi32(sums[0][b], ones, _mm512_permutexvar_epi8(bits, t0));
      sums[1][b] = _mm512_dpbusd_epi32(sums[1][b], ones, _mm512_permutexvar_epi8(bits, t1));
      sums[2][b] = _mm512_dpbusd_epi32(sums[2][b], ones, _mm512_permutexvar_epi8(bits, t2));
      sums[3][b] = _mm512_dpbusd_epi32(sums[3][b], ones, _mm512_permutexvar_epi8(bits, t3));
    }
  }
#pragma GCC unroll 4
  for (int q = 0; q < kRows; ++q)
#pragma GCC unroll 4
    for (int b = 0; b < Blocks; ++b) {
      int32_t* to = tile.sums + q * tile.sums_step + block * kIndexColumns + b * 16;
      _mm512_storeu_si512(to, tile.add ? _mm512_add_epi32(sums[q][b], _mm512_loadu_si512(to)) : sums[q][b]);
    }
}

}  // namespace

void build_fours8_vnni(const void* const rows[kQuantizedRows], int64_t entries, uint8_t* tables) {
  const __m512i even = _mm512_load_si512(kFourTerms.even), odd = _mm512_load_si512(kFourTerms.odd);
  for (int64_t e = 0; e < entries; ++e, tables += kRows * 64) {
    __m512i x = _mm512_setzero_si512();
    x = _mm512_inserti32x4(x, _mm_loadu_si128(static_cast<const __m128i*>(rows[0]) + e), 0);
    x = _mm512_inserti32x4(x, _mm_loadu_si128(static_cast<const __m128i*>(rows[1]) + e), 1);
    x = _mm512_inserti32x4(x, _mm_loadu_si128(static_cast<const __m128i*>(rows[2]) + e), 2);
    x = _mm512_inserti32x4(x, _mm_loadu_si128(static_cast<const __m128i*>(rows[3]) + e), 3);
    const __m512i a = _mm512_shuffle_epi8(x, even), b = _mm512_shuffle_epi8(x, odd);
    const __m512i plus = _mm512_unpacklo_epi64(_mm512_add_epi8(a, b), _mm512_sub_epi8(a, b));
    const __m512i minus = _mm512_sub_epi8(_mm512_setzero_si512(), plus);
#pragma GCC unroll 4
    for (int q = 0; q < kRows; ++q) {
      const __m512i first = _mm512_permutex2var_epi8(plus, _mm512_load_si512(kFourTerms.first[q]), minus);
      const __m512i second = _mm512_permutex2var_epi8(plus, _mm512_load_si512(kFourTerms.second[q]), minus);
      _mm512_store_si512(tables + q * 64, _mm512_add_epi8(first, second));
    }
  }
}

void fours8_tile_vnni(const QuantizedTile& tile) {
  int64_t block = 0;
  for (; block + 2 <= tile.blocks; block += 2) add_fours8<4>(tile, block);
  if (block < tile.blocks) add_fours8<2>(tile, block);
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
