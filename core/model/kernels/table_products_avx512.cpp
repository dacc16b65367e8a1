// The two tables of a group become one of sixteen entries; vpermps looks four bits up for sixteen columns.
#include <algorithm>

#include "kernels/table_product_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX512

namespace bitsweep::kernels {
namespace {

constexpr int64_t kLanesOf = 16, kRows = kTableRows, kGroupsOfWord = 8;

// [groups][kRows][16] of [groups][kRows][8].
void widen(const TableTile& tile, float* tables) {
  for (int64_t i = 0; i < tile.groups * kRows; ++i) {
    const __m512 pairs = _mm512_broadcast_f32x8(_mm256_load_ps(tile.tables + i * 8));
    const __m512i first = _mm512_setr_epi32(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3);
    const __m512i second = _mm512_setr_epi32(4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7);
    _mm512_store_ps(tables + i * 16,
                    _mm512_add_ps(_mm512_permutexvar_ps(first, pairs), _mm512_permutexvar_ps(second, pairs)));
  }
}

template <int Blocks>
inline __attribute__((always_inline)) void add_blocks(const TableTile& tile, const float* tables, int64_t column) {
  const __m512 one = _mm512_set1_ps(1);
  __m512 sums[kRows][Blocks];
#pragma GCC unroll 4
  for (int q = 0; q < kRows; ++q)
#pragma GCC unroll 4
    for (int b = 0; b < Blocks; ++b) sums[q][b] = _mm512_setzero_ps();
  const uint32_t* index = tile.index + column;
  for (int64_t left = tile.groups; left > 0; left -= kGroupsOfWord, index += tile.index_stride) {
    __m512i bits[Blocks];
#pragma GCC unroll 4
    for (int b = 0; b < Blocks; ++b) bits[b] = _mm512_loadu_si512(index + b * kLanesOf);
    for (int64_t g = std::min(left, kGroupsOfWord); g > 0; --g, tables += kRows * 16) {
      const __m512 t0 = _mm512_load_ps(tables), t1 = _mm512_load_ps(tables + 16);
      const __m512 t2 = _mm512_load_ps(tables + 32), t3 = _mm512_load_ps(tables + 48);
#pragma GCC unroll 4
      for (int b = 0; b < Blocks; ++b) {
        sums[0][b] = _mm512_add_ps(sums[0][b], _mm512_permutexvar_ps(bits[b], t0));
        sums[1][b] = _mm512_add_ps(sums[1][b], _mm512_permutexvar_ps(bits[b], t1));
        // The same sums by other ports than the look-ups': x · 1 + sum rounds once.
        sums[2][b] = _mm512_fmadd_ps(_mm512_permutexvar_ps(bits[b], t2), one, sums[2][b]);
        sums[3][b] = _mm512_fmadd_ps(_mm512_permutexvar_ps(bits[b], t3), one, sums[3][b]);
        bits[b] = _mm512_srli_epi32(bits[b], 4);
      }
    }
  }
#pragma GCC unroll 4
  for (int b = 0; b < Blocks; ++b) {
    const int64_t left = tile.columns - column - b * kLanesOf;
    const auto live = static_cast<__mmask16>(left >= kLanesOf ? 0xffff : (1u << left) - 1);
#pragma GCC unroll 4
    for (int q = 0; q < kRows; ++q) {
      float* c = tile.c + q * tile.c_step + column + b * kLanesOf;
      const __m512 sum = sums[q][b];
      _mm512_mask_storeu_ps(c, live, tile.add ? _mm512_add_ps(_mm512_maskz_loadu_ps(live, c), sum) : sum);
    }
  }
}

void add_tile(const TableTile& tile) {
  alignas(kLineBytes) float tables[kDepthBlock / kGroup * kRows * 16];
  widen(tile, tables);
  int64_t j = 0;
  for (; j + 3 * kLanesOf < tile.columns; j += 4 * kLanesOf) add_blocks<4>(tile, tables, j);
  const int64_t blocks = (tile.columns - j + kLanesOf - 1) / kLanesOf;
  if (blocks == 3) add_blocks<3>(tile, tables, j);
  if (blocks == 2) add_blocks<2>(tile, tables, j);
  if (blocks == 1) add_blocks<1>(tile, tables, j);
}

}  // namespace

const TableKernels kTablesAvx512{fill_tables_avx2, add_tile, table_rows_avx512};

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
