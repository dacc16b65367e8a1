// A panel holds w's nibbles as bytes, [nibble][column]. For each nibble of x a 16-byte table says how many bits differ
// from each nibble that w may have; one shuffle looks it up for 32 columns, one addition counts: two instructions for
// 128 products.
#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/bit_product_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX2

namespace bitsweep::kernels {
namespace {

constexpr int64_t kTile = 4;  // rows

// Adds `bytes` to 32 counts.
inline __attribute__((always_inline)) void flush(__m256i bytes, uint16_t* counts) {
  __m256i* out = reinterpret_cast<__m256i*>(counts);
  const __m256i low = _mm256_cvtepu8_epi16(_mm256_castsi256_si128(bytes));
  const __m256i high = _mm256_cvtepu8_epi16(_mm256_extracti128_si256(bytes, 1));
  _mm256_store_si256(out, _mm256_add_epi16(_mm256_load_si256(out), low));
  _mm256_store_si256(out + 1, _mm256_add_epi16(_mm256_load_si256(out + 1), high));
}

// Where the tables of x's nibbles lie, in bytes: offsets [row][nibble] of one word of four rows.
inline __attribute__((always_inline)) void nibble_offsets(__m128i words, uint8_t* offsets) {
  const __m128i upper = _mm_set1_epi8(static_cast<char>(0xf0));
  const __m128i low = _mm_and_si128(_mm_slli_epi32(words, 4), upper), high = _mm_and_si128(words, upper);
  _mm_store_si128(reinterpret_cast<__m128i*>(offsets), _mm_unpacklo_epi8(low, high));
  _mm_store_si128(reinterpret_cast<__m128i*>(offsets) + 1, _mm_unpackhi_epi8(low, high));
}

template <int Rows>
inline __attribute__((always_inline)) void count_rows(const SignBits& x, int64_t row, const uint8_t* panel,
                                                      uint16_t* counts) {
  const uint8_t* const tables = kNibbleTables.differ[0];
  std::memset(counts, 0, Rows * kPanelColumns * sizeof(uint16_t));
  for (int64_t word = 0; word < x.words();) {
    __m256i low[Rows], high[Rows];
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) low[r] = high[r] = _mm256_setzero_si256();
    for (const int64_t end = std::min(word + kFlushWords, x.words()); word < end; ++word) {
      // Rows behind the last one can be read: SignBits has room.
      alignas(16) uint8_t offsets[4][kNibbles];
      nibble_offsets(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x.word(word) + row)), offsets[0]);
#pragma GCC unroll 8
      for (int64_t nibble = 0; nibble < kNibbles; ++nibble, panel += kPanelColumns) {
        const __m256i columns0 = _mm256_load_si256(reinterpret_cast<const __m256i*>(panel));
        const __m256i columns1 = _mm256_load_si256(reinterpret_cast<const __m256i*>(panel) + 1);
#pragma GCC unroll 8
        for (int r = 0; r < Rows; ++r) {
          const auto* table = reinterpret_cast<const __m128i*>(tables + offsets[r][nibble]);
          const __m256i differ = _mm256_broadcastsi128_si256(_mm_load_si128(table));
          low[r] = _mm256_add_epi8(low[r], _mm256_shuffle_epi8(differ, columns0));
          high[r] = _mm256_add_epi8(high[r], _mm256_shuffle_epi8(differ, columns1));
        }
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      flush(low[r], counts + r * kPanelColumns);
      flush(high[r], counts + r * kPanelColumns + 32);
    }
  }
}

void count(const SignBits& x, int64_t row, int64_t rows, const uint8_t* panel, uint16_t* counts) {
  for (; rows >= kTile; rows -= kTile, row += kTile, counts += kTile * kPanelColumns)
    count_rows<kTile>(x, row, panel, counts);
  for (; rows > 0; --rows, ++row, counts += kPanelColumns) count_rows<1>(x, row, panel, counts);
}

// 32 bits of two vectors of 16 conditions, all or nothing each.
inline __attribute__((always_inline)) uint32_t bits_of(__m256i first, __m256i second) {
  // The narrowing interleaves 128-bit halves.
  const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(first, second), 0b11011000);
  return static_cast<uint32_t>(_mm256_movemask_epi8(bytes));
}

inline __attribute__((always_inline)) __m256i load(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

void end(const uint16_t* counts, const int16_t* sign_limit, const int16_t* low, const int16_t* high, uint32_t* sign,
         uint32_t* inside) {
  for (int64_t half = 0; half < kPanelColumns / kWordBits; ++half) {
    __m256i negative[2], outside[2];
#pragma GCC unroll 2
    for (int64_t part = 0; part < 2; ++part) {
      const int64_t n = half * kWordBits + part * 16;
      const __m256i p = load(counts + n);
      negative[part] = _mm256_cmpgt_epi16(p, load(sign_limit + n));
      outside[part] = _mm256_or_si256(_mm256_cmpgt_epi16(load(low + n), p), _mm256_cmpgt_epi16(p, load(high + n)));
    }
    sign[half] = bits_of(negative[0], negative[1]);
    inside[half] = ~bits_of(outside[0], outside[1]);
  }
}

}  // namespace

const BitProductKernels kBitProductsAvx2{fill_nibble_panel, count, end};

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
