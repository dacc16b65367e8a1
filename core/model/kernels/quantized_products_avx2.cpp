// One table of 16 bytes a row: vpshufb finds three terms' int16 by its two bytes, or two threes' int8, for 16 columns.
#include "kernels/quantized_product_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX2

namespace bitsweep::kernels {
namespace {

constexpr int kRows = kQuantizedRows, kHalves = 2;
constexpr int64_t kLanesOf = 16, kTableBytes = 16, kEntryBytes = 64;

inline __attribute__((always_inline)) __m256i load_of(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

// Eight bytes of each of two rows.
inline __attribute__((always_inline)) __m256i two_rows(const uint8_t* first, const uint8_t* second) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(first))),
                                 _mm_loadl_epi64(reinterpret_cast<const __m128i*>(second)), 1);
}

// What a byte of the tables takes of the terms: which bytes, and with which sign (1, −1) those of term t.
struct TripleTerms {
  alignas(32) uint8_t place[3][32];
  alignas(32) uint8_t minus[3][32];
};
constexpr TripleTerms triple_terms(int term_bytes) {
  TripleTerms terms{};
  const int entries = 8, table_bytes = entries * term_bytes;
  for (int t = 0; t < 3; ++t) {
    for (int i = 0; i < 32; ++i) {
      const int at = i % 16, term = at / table_bytes * 3 + t, e = at % table_bytes / term_bytes;
      terms.place[t][i] = static_cast<uint8_t>(term * term_bytes + at % term_bytes);
      const bool low_byte = at % term_bytes == 0;
      terms.minus[t][i] = static_cast<uint8_t>(e >> t & 1 ? 0xff : low_byte ? 1 : 0);
    }
  }
  return terms;
}
constexpr TripleTerms kTerms16 = triple_terms(2), kTerms8 = triple_terms(1);

// The tables of two rows whose terms these are, of int16 or of Bytes.
template <bool Bytes>
inline __attribute__((always_inline)) void store_tables(__m256i rows, uint8_t* to) {
  constexpr const TripleTerms& kTerms = Bytes ? kTerms8 : kTerms16;
  __m256i sum = _mm256_setzero_si256();
#pragma GCC unroll 3
  for (int t = 0; t < 3; ++t) {
    const __m256i term = _mm256_shuffle_epi8(rows, load_of(kTerms.place[t])), minus = load_of(kTerms.minus[t]);
    sum = Bytes ? _mm256_add_epi8(sum, _mm256_sign_epi8(term, minus))
                : _mm256_add_epi16(sum, _mm256_sign_epi16(term, minus));
  }
  _mm256_store_si256(reinterpret_cast<__m256i*>(to), sum);
}

template <bool Bytes>
inline __attribute__((always_inline)) void build(const void* const rows[kQuantizedRows], int64_t entries,
                                                 uint8_t* tables) {
  constexpr int64_t kTermsBytes = 6;  // of an entry: three int16 or six int8
  const auto* a = static_cast<const uint8_t*>(rows[0]);
  const auto* b = static_cast<const uint8_t*>(rows[1]);
  const auto* c = static_cast<const uint8_t*>(rows[2]);
  const auto* d = static_cast<const uint8_t*>(rows[3]);
  for (int64_t at = 0; at < entries * kTermsBytes; at += kTermsBytes, tables += kRows * kTableBytes) {
    store_tables<Bytes>(two_rows(a + at, b + at), tables);
    store_tables<Bytes>(two_rows(c + at, d + at), tables + 2 * kTableBytes);
  }
}

// The 16-bit sums of a row and a block, `Parts` of them to be added, to 32 bits.
template <int Parts>
inline __attribute__((always_inline)) void widen(const int16_t* const parts[Parts], bool add, int32_t* to) {
#pragma GCC unroll 4
  for (int64_t j = 0; j < kIndexColumns; j += 8) {
    __m256i wide = add ? load_of(to + j) : _mm256_setzero_si256();
#pragma GCC unroll 2
    for (int p = 0; p < Parts; ++p) {
      const __m128i part = _mm_load_si128(reinterpret_cast<const __m128i*>(parts[p] + j));
      wide = _mm256_add_epi32(wide, _mm256_cvtepi16_epi32(part));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + j), wide);
  }
}

// The 16-bit sums of a block. A function of its own, which only stores them at the end: otherwise GCC 12 keeps some on
// the stack within the loop.
template <bool Bytes>
__attribute__((noinline)) void sum_block(const uint8_t* tables, const uint8_t* index, int64_t entries, int16_t* out) {
  const __m256i ones = _mm256_set1_epi8(1);
  __m256i sums[kRows][kHalves];
#pragma GCC unroll 4
  for (int q = 0; q < kRows; ++q)
#pragma GCC unroll 2
    for (int h = 0; h < kHalves; ++h) {
      sums[q][h] = _mm256_setzero_si256();
    }
  do {
#pragma GCC unroll 4
    for (int q = 0; q < kRows; ++q) {
      const __m256i table =
          _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(tables + q * kTableBytes)));
#pragma GCC unroll 2
      for (int h = 0; h < kHalves; ++h) {
        const __m256i found = _mm256_shuffle_epi8(table, load_of(index + h * 32));
        sums[q][h] = _mm256_add_epi16(sums[q][h], Bytes ? _mm256_maddubs_epi16(ones, found) : found);
      }
    }
#pragma GCC unroll 4
    for (int q = 0; q < kRows; ++q)
#pragma GCC unroll 2
      for (int h = 0; h < kHalves; ++h) BITSWEEP_IN_REGISTER(sums[q][h]);
    index += kEntryBytes;
    tables += kRows * kTableBytes;
  } while (--entries > 0);
#pragma GCC unroll 4
  for (int q = 0; q < kRows; ++q)
#pragma GCC unroll 2
    for (int h = 0; h < kHalves; ++h)
      _mm256_store_si256(reinterpret_cast<__m256i*>(out + (q * kHalves + h) * kLanesOf), sums[q][h]);
}

// Parts: of the entries, the first 16-bit sums hold kPartEntries.
template <bool Bytes, int Parts>
inline __attribute__((always_inline)) void add_blocks(const QuantizedTile& tile) {
  constexpr int64_t kPartEntries = kInt16SumTerms / 3;
  alignas(32) int16_t sums[Parts][kRows * kIndexColumns];
  const int64_t first = Parts == 1 ? tile.entries : kPartEntries;
  for (int64_t block = 0; block < tile.blocks; ++block) {
    const uint8_t* index = tile.index + block * tile.index_step;
    sum_block<Bytes>(tile.tables, index, first, sums[0]);
    if constexpr (Parts == 2)
      sum_block<Bytes>(tile.tables + first * kRows * kTableBytes, index + first * kEntryBytes, tile.entries - first,
                       sums[1]);
    for (int64_t q = 0; q < kRows; ++q) {
      const int16_t* parts[Parts];
      for (int p = 0; p < Parts; ++p) parts[p] = sums[p] + q * kIndexColumns;
      widen<Parts>(parts, tile.add, tile.sums + q * tile.sums_step + block * kIndexColumns);
    }
  }
}

}  // namespace

void build_triples16_avx2(const void* const rows[kQuantizedRows], int64_t entries, uint8_t* tables) {
  build<false>(rows, entries, tables);
}
void build_triples8_avx2(const void* const rows[kQuantizedRows], int64_t entries, uint8_t* tables) {
  build<true>(rows, entries, tables);
}
void triples16_tile_avx2(const QuantizedTile& tile) {
  if (tile.entries * 3 > kInt16SumTerms)
    add_blocks<false, 2>(tile);
  else
    add_blocks<false, 1>(tile);
}
void triples8_tile_avx2(const QuantizedTile& tile) { add_blocks<true, 1>(tile); }

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
