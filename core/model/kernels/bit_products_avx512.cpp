// As bit_products_avx2.cpp with 64 columns a register; and, where the CPU counts bits itself, on words.
#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/bit_product_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX512

namespace bitsweep::kernels {
namespace {

template <int Rows>
inline __attribute__((always_inline)) void count_nibbles_of(const SignBits& x, int64_t row, const uint8_t* panel,
                                                            uint16_t* counts) {
  std::memset(counts, 0, Rows * kPanelColumns * sizeof(uint16_t));
  for (int64_t word = 0; word < x.words();) {
    __m512i sums[Rows];
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) sums[r] = _mm512_setzero_si512();
    const int64_t end = std::min(word + kFlushWords, x.words());
    for (; word < end; ++word) {
      uint32_t bits[Rows];
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r) bits[r] = x.word(word)[row + r];
      for (int64_t nibble = 0; nibble < kNibbles; ++nibble, panel += kPanelColumns) {
        const __m512i columns = _mm512_load_si512(panel);
#pragma GCC unroll 8
        for (int r = 0; r < Rows; ++r) {
          const __m512i table =
              _mm512_broadcast_i32x4(*reinterpret_cast<const __m128i*>(kNibbleTables.differ[bits[r] & 15]));
          bits[r] >>= 4;
          sums[r] = _mm512_add_epi8(sums[r], _mm512_shuffle_epi8(table, columns));
        }
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      uint16_t* out = counts + r * kPanelColumns;
      const __m512i low = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(sums[r]));
      const __m512i high = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(sums[r], 1));
      _mm512_store_si512(out, _mm512_add_epi16(_mm512_load_si512(out), low));
      _mm512_store_si512(out + 32, _mm512_add_epi16(_mm512_load_si512(out + 32), high));
    }
  }
}

void count_nibbles(const SignBits& x, int64_t row, int64_t rows, const uint8_t* panel, uint16_t* counts) {
  if (rows == kPanelRows) {
    count_nibbles_of<kPanelRows>(x, row, panel, counts);
    return;
  }
  for (; rows > 0; --rows, ++row, counts += kPanelColumns) count_nibbles_of<1>(x, row, panel, counts);
}

void end_of_counts(const uint16_t* counts, const int16_t* sign_limit, const int16_t* low, const int16_t* high,
                   uint32_t* sign, uint32_t* inside) {
  for (int64_t half = 0; half < kPanelColumns / kWordBits; ++half) {
    const int64_t n = half * kWordBits;
    const __m512i p = _mm512_loadu_si512(counts + n);
    sign[half] = _mm512_cmpgt_epi16_mask(p, _mm512_loadu_si512(sign_limit + n));
    inside[half] = _mm512_cmple_epi16_mask(_mm512_loadu_si512(low + n), p) &
                   _mm512_cmple_epi16_mask(p, _mm512_loadu_si512(high + n));
  }
}

}  // namespace

const BitProductKernels kBitProductsAvx512{fill_nibble_panel, count_nibbles, end_of_counts};

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA
BITSWEEP_BEGIN_AVX512_VPOPCNT

namespace bitsweep::kernels {
namespace {

constexpr int kVectors = kPanelColumns / 16;  // of a word of all columns

void fill_words(const SignBits& w, int64_t first, uint8_t* panel) {
  constexpr size_t kBytes = kPanelColumns * sizeof(uint32_t);
  const auto columns = static_cast<size_t>(std::min(kPanelColumns, w.rows() - first));
  for (int64_t word = 0; word < w.words(); ++word, panel += kBytes) {
    std::memcpy(panel, w.word(word) + first, columns * sizeof(uint32_t));
    std::memset(panel + columns * sizeof(uint32_t), 0, kBytes - columns * sizeof(uint32_t));
  }
}

template <int Rows>
inline __attribute__((always_inline)) void count_words_of(const SignBits& x, int64_t row, const uint8_t* panel,
                                                          uint16_t* counts) {
  __m512i sums[Rows][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sums[r][v] = _mm512_setzero_si512();
  for (int64_t word = 0; word < x.words(); ++word, panel += kVectors * kLineBytes) {
    __m512i columns[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) columns[v] = _mm512_load_si512(panel + v * static_cast<int64_t>(kLineBytes));
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      const __m512i bits = _mm512_set1_epi32(static_cast<int>(x.word(word)[row + r]));
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v)
        sums[r][v] = _mm512_add_epi32(sums[r][v], _mm512_popcnt_epi32(_mm512_xor_si512(bits, columns[v])));
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v)
      _mm256_store_si256(reinterpret_cast<__m256i*>(counts + r * kPanelColumns + v * 16),
                         _mm512_cvtepi32_epi16(sums[r][v]));
}

void count_words(const SignBits& x, int64_t row, int64_t rows, const uint8_t* panel, uint16_t* counts) {
  constexpr int kTile = 4;
  for (; rows >= kTile; rows -= kTile, row += kTile, counts += kTile * kPanelColumns)
    count_words_of<kTile>(x, row, panel, counts);
  for (; rows > 0; --rows, ++row, counts += kPanelColumns) count_words_of<1>(x, row, panel, counts);
}

}  // namespace

const BitProductKernels kBitProductsVpopcnt{fill_words, count_words, end_of_counts};

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
