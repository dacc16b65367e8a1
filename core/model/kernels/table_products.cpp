#include "kernels/table_products.h"

#include <algorithm>

#include "kernels/table_product_isas.h"

namespace bitsweep::kernels {
namespace {

void fill_tables_plain(const FloatRows& a, int64_t row, int64_t rows, int64_t term, int64_t terms, int64_t groups,
                       float* tables) {
  for (int64_t g = 0; g < groups; ++g, term += kGroup) {
    float block[kTableRows][kGroup];
    copy_block(a, row, rows, term, terms, block);
    for (const auto& of_row : block)
      for (int pair = 0; pair < 2; ++pair)
        for (unsigned entry = 0; entry < 4; ++entry, ++tables) {
          const float first = of_row[2 * pair], second = of_row[2 * pair + 1];
          *tables = (entry & 1 ? -first : first) + (entry & 2 ? -second : second);
        }
  }
}

void add_tile_plain(const TableTile& tile) {
  for (int64_t q = 0; q < kTableRows; ++q) {
    for (int64_t j = 0; j < tile.columns; ++j) {
      float sum = 0;
      for (int64_t g = 0; g < tile.groups; ++g) {
        const float* entries = tile.tables + (g * kTableRows + q) * kTableEntries;
        const uint32_t bits = tile.index[g / 8 * tile.index_stride + j] >> (g % 8 * kGroup);
        sum += entries[bits & 3] + entries[4 + (bits >> 2 & 3)];
      }
      float& c = tile.c[q * tile.c_step + j];
      c = tile.add ? c + sum : sum;
    }
  }
}

constexpr TableKernels kPlain{fill_tables_plain, add_tile_plain, nullptr};

// The last rows of C, fewer than a tile has, through a whole tile.
void add_part(const TableKernels& kernels, TableTile tile, int64_t rows) {
  thread_local Buffer<float> whole;
  float* const part = tile.c;
  const int64_t step = tile.c_step, columns = tile.columns;
  tile.c = whole.at_least(kTableRows * columns);
  tile.c_step = columns;
  for (int64_t q = 0; q < rows; ++q) std::copy_n(part + q * step, columns, tile.c + q * columns);
  kernels.add(tile);
  for (int64_t q = 0; q < rows; ++q) std::copy_n(tile.c + q * columns, columns, part + q * step);
}

}  // namespace

const TableKernels& table_kernels(Isa isa) {
#ifdef BITSWEEP_INTRINSICS
  if (isa == Isa::avx512_vpopcnt || isa == Isa::avx512) return kTablesAvx512;
  if (isa == Isa::avx2) return kTablesAvx2;
#endif
  return kPlain;
}

void table_product_rows(const TableProduct& product, int64_t first, int64_t last) {
  const TableKernels& kernels = table_kernels(current_isa());
  if (kernels.wide != nullptr && product.columns >= kWideColumns && product.terms >= kWideTerms) {
    const int64_t wide = (last - first) / kWideRows * kWideRows;
    kernels.wide(product, first, first + wide);
    first += wide;
  }
  alignas(kLineBytes) float tables[kDepthBlock / kGroup * kTableRows * kTableEntries];
  thread_local Buffer<float> spare;
  // Blocks of terms are summed by themselves before C has them.
  const bool apart = product.add && product.terms > kDepthBlock;
  for (int64_t row = first; row < last; row += kTableRows) {
    const int64_t rows = std::min(kTableRows, last - row);
    float* c = product.c + row * product.c_step;
    float* to = apart ? spare.at_least(kTableRows * product.columns) : c;
    for (int64_t term = 0; term < product.terms; term += kDepthBlock) {
      const int64_t terms = std::min(kDepthBlock, product.terms - term);
      const TableTile tile{.tables = tables,
                           .groups = (terms + kGroup - 1) / kGroup,
                           .index = product.index->word((product.index_term + term) / kWordBits),
                           .index_stride = product.index->stride(),
                           .columns = product.columns,
                           .c = to,
                           .c_step = apart ? product.columns : product.c_step,
                           .add = term > 0 || (product.add && !apart)};
      kernels.fill(product.a, row, last, term, product.terms, tile.groups, tables);
      if (apart || rows == kTableRows) {
        kernels.add(tile);
      } else {
        add_part(kernels, tile, rows);
      }
    }
    for (int64_t q = 0; apart && q < rows; ++q)
      for (int64_t j = 0; j < product.columns; ++j) c[q * product.c_step + j] += to[q * product.columns + j];
  }
}

}  // namespace bitsweep::kernels
