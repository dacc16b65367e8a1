// One table of four entries a lane: vpermilps looks two bits up for eight columns.
#include <algorithm>

#include "kernels/table_product_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX2

namespace bitsweep::kernels {
namespace {

// One row's tables of four terms: [a0 ± a1 | a2 ± a3].
inline __attribute__((always_inline)) void store_tables(__m128 terms, float* tables) {
  const __m256 both = _mm256_set_m128(terms, terms);
  const __m256i evens = _mm256_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2), odds = _mm256_setr_epi32(1, 1, 1, 1, 3, 3, 3, 3);
  const __m256 even_signs = _mm256_setr_ps(0.0f, -0.0f, 0.0f, -0.0f, 0.0f, -0.0f, 0.0f, -0.0f);
  const __m256 odd_signs = _mm256_setr_ps(0.0f, 0.0f, -0.0f, -0.0f, 0.0f, 0.0f, -0.0f, -0.0f);
  _mm256_store_ps(tables, _mm256_add_ps(_mm256_xor_ps(_mm256_permutevar_ps(both, evens), even_signs),
                                        _mm256_xor_ps(_mm256_permutevar_ps(both, odds), odd_signs)));
}

constexpr int64_t kLanesOf = 8, kRows = kTableRows, kGroupsOfWord = 8;

template <int Blocks>
inline __attribute__((always_inline)) void sums_of(const TableTile& tile, int64_t column, __m256 sums[kRows][Blocks]) {
#pragma GCC unroll 4
  for (int q = 0; q < kRows; ++q)
#pragma GCC unroll 4
    for (int b = 0; b < Blocks; ++b) sums[q][b] = _mm256_setzero_ps();
  const float* tables = tile.tables;
  const uint32_t* index = tile.index + column;
  for (int64_t left = tile.groups; left > 0; left -= kGroupsOfWord, index += tile.index_stride) {
    __m256i low[Blocks];
#pragma GCC unroll 4
    for (int b = 0; b < Blocks; ++b)
      low[b] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(index + b * kLanesOf));
    for (int64_t g = std::min(left, kGroupsOfWord); g > 0; --g, tables += kRows * 8) {
      __m256i high[Blocks];
#pragma GCC unroll 4
      for (int b = 0; b < Blocks; ++b) high[b] = _mm256_srli_epi32(low[b], 2);
#pragma GCC unroll 4
      for (int q = 0; q < kRows; ++q) {
        const __m256 first = _mm256_broadcast_ps(reinterpret_cast<const __m128*>(tables + q * 8));
        const __m256 second = _mm256_broadcast_ps(reinterpret_cast<const __m128*>(tables + q * 8 + 4));
#pragma GCC unroll 4
        for (int b = 0; b < Blocks; ++b) {
          const __m256 four = _mm256_add_ps(_mm256_permutevar_ps(first, low[b]), _mm256_permutevar_ps(second, high[b]));
          sums[q][b] = _mm256_add_ps(sums[q][b], four);
        }
      }
#pragma GCC unroll 4
      for (int b = 0; b < Blocks; ++b) low[b] = _mm256_srli_epi32(low[b], 4);
    }
  }
}

template <int Blocks>
inline __attribute__((always_inline)) void whole_blocks(const TableTile& tile, int64_t column) {
  __m256 sums[kRows][Blocks];
  sums_of<Blocks>(tile, column, sums);
#pragma GCC unroll 4
  for (int q = 0; q < kRows; ++q)
#pragma GCC unroll 4
    for (int b = 0; b < Blocks; ++b) {
      float* c = tile.c + q * tile.c_step + column + b * kLanesOf;
      _mm256_storeu_ps(c, tile.add ? _mm256_add_ps(_mm256_loadu_ps(c), sums[q][b]) : sums[q][b]);
    }
}

void add_tile(const TableTile& tile) {
  int64_t j = 0;
  for (; j + 2 * kLanesOf <= tile.columns; j += 2 * kLanesOf) whole_blocks<2>(tile, j);
  if (j + kLanesOf <= tile.columns) {
    whole_blocks<1>(tile, j);
    j += kLanesOf;
  }
  if (j == tile.columns) return;
  __m256 sums[kRows][1];
  sums_of<1>(tile, j, sums);
  for (int q = 0; q < kRows; ++q) {
    alignas(32) float rest[kLanesOf];
    _mm256_store_ps(rest, sums[q][0]);
    float* c = tile.c + q * tile.c_step;
    for (int64_t k = j; k < tile.columns; ++k) c[k] = tile.add ? c[k] + rest[k - j] : rest[k - j];
  }
}

}  // namespace

void fill_tables_avx2(const FloatRows& a, int64_t row, int64_t rows, int64_t term, int64_t terms, int64_t groups,
                      float* tables) {
  const bool all_rows = row + kTableRows <= rows;
  for (; groups > 0; --groups, term += kGroup, tables += kTableRows * kTableEntries) {
    const float* from = a.data + row * a.row_step + term * a.term_step;
    __m128 of_row[kTableRows];
    if (all_rows && term + kGroup <= terms) {
      const int64_t step = a.term_step == 1 ? a.row_step : a.term_step;
#pragma GCC unroll 4
      for (int q = 0; q < kTableRows; ++q) of_row[q] = _mm_loadu_ps(from + q * step);
      if (a.term_step != 1) _MM_TRANSPOSE4_PS(of_row[0], of_row[1], of_row[2], of_row[3]);
    } else {
      float block[kTableRows][kGroup];
      copy_block(a, row, rows, term, terms, block);
#pragma GCC unroll 4
      for (int q = 0; q < kTableRows; ++q) of_row[q] = _mm_loadu_ps(block[q]);
    }
#pragma GCC unroll 4
    for (int q = 0; q < kTableRows; ++q) store_tables(of_row[q], tables + q * kTableEntries);
  }
}

const TableKernels kTablesAvx2{fill_tables_avx2, add_tile, table_rows_avx2};

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
