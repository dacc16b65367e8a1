#include "kernels/table_products.h"

#include <algorithm>

#include "base/simd.h"
#include "kernels/table_product_isas.h"

namespace bitsweep::kernels {
namespace {

constexpr int64_t kEntries = 8;  // of a group's tables

// The tables of four neighbours: entry e is what bits e of the index choose, 1 for −.
BITSWEEP_INLINE void fill_entries(float a0, float a1, float a2, float a3, float* entries) {
  entries[0] = a0 + a1;
  entries[1] = -a0 + a1;
  entries[2] = a0 - a1;
  entries[3] = -a0 - a1;
  entries[4] = a2 + a3;
  entries[5] = -a2 + a3;
  entries[6] = a2 - a3;
  entries[7] = -a2 - a3;
}

// Tables of rows [i, i + kTableRows) and terms [r, r + groups · kGroup): both may go beyond what there is, which then
// counts as 0.
BITSWEEP_CLONES void fill_tables(const FloatRows& a, int64_t i, int64_t rows, int64_t r, int64_t last, int64_t groups,
                                 float* tables) {
  for (int64_t g = 0; g < groups; ++g, r += kGroup) {
    float terms[kTableRows][kGroup] = {};
    const float* from = a.data + i * a.row_step + r * a.term_step;
    if (rows >= kTableRows && r + kGroup <= last) {
      for (int64_t q = 0; q < kTableRows; ++q)
        for (int64_t t = 0; t < kGroup; ++t) terms[q][t] = from[q * a.row_step + t * a.term_step];
    } else {
      for (int64_t q = 0; q < std::min(rows, kTableRows); ++q)
        for (int64_t t = 0; t < std::min(kGroup, last - r); ++t) terms[q][t] = from[q * a.row_step + t * a.term_step];
    }
    for (int64_t q = 0; q < kTableRows; ++q, tables += kEntries)
      fill_entries(terms[q][0], terms[q][1], terms[q][2], terms[q][3], tables);
  }
}

void table_tile_plain(const TableTile& tile) {
  for (int64_t q = 0; q < kTableRows; ++q) {
    for (int64_t j = 0; j < tile.columns; ++j) {
      float sum = 0;
      for (int64_t g = 0; g < tile.groups; ++g) {
        const float* entries = tile.tables + (g * kTableRows + q) * kEntries;
        const uint32_t bits = tile.index[g / 8 * tile.index_stride + j] >> (g % 8 * kGroup);
        sum += entries[bits & 3] + entries[4 + (bits >> 2 & 3)];
      }
      float& c = tile.c[q * tile.c_step + j];
      c = tile.add ? c + sum : sum;
    }
  }
}

}  // namespace

TableTileKernel table_tile_kernel(Isa isa) {
#ifdef BITSWEEP_INTRINSICS
  if (isa == Isa::avx512_vpopcnt || isa == Isa::avx512) return table_tile_avx512;
  if (isa == Isa::avx2) return table_tile_avx2;
#endif
  return table_tile_plain;
}

void table_product_rows(const TableProduct& product, int64_t first, int64_t last) {
  const TableTileKernel kernel = table_tile_kernel(current_isa());
  alignas(kLineBytes) float tables[kDepthBlock / kGroup * kTableRows * kEntries];
  thread_local Buffer<float> spare;  // of a tile that goes beyond C
  for (int64_t i = first; i < last; i += kTableRows) {
    const int64_t rows = std::min(kTableRows, last - i);
    for (int64_t r = product.first_term; r < product.last_term; r += kDepthBlock) {
      const int64_t terms = std::min(kDepthBlock, product.last_term - r);
      TableTile tile{.tables = tables,
                     .groups = (terms + kGroup - 1) / kGroup,
                     .index = product.index->word(r / kWordBits),
                     .index_stride = product.index->stride(),
                     .columns = product.columns,
                     .c = product.c + i * product.c_step,
                     .c_step = product.c_step,
                     .add = product.add || r > product.first_term};
      fill_tables(product.a, i, rows, r, product.last_term, tile.groups, tables);
      if (rows == kTableRows) {
        kernel(tile);
        continue;
      }
      float* const whole = spare.at_least(kTableRows * product.columns);
      for (int64_t q = 0; q < rows; ++q)
        std::copy_n(tile.c + q * tile.c_step, product.columns, whole + q * product.columns);
      float* const part = tile.c;
      tile.c = whole;
      tile.c_step = product.columns;
      kernel(tile);
      for (int64_t q = 0; q < rows; ++q)
        std::copy_n(whole + q * product.columns, product.columns, part + q * product.c_step);
    }
  }
}

}  // namespace bitsweep::kernels
