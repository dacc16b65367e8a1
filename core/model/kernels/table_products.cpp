#include "kernels/table_products.h"

#include <algorithm>

#include "kernels/table_product_isas.h"

namespace bitsweep::kernels {
namespace {

constexpr int64_t kBlockRows = 16;  // a line of floats
constexpr int64_t kFarTerms = 512;  // so far apart, the terms of a depth block push each other out of the nearest cache

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

// The first rows and terms of `a`, at most kBlockRows and kDepthBlock, side by side.
FloatRows packed(const FloatRows& a, int64_t rows, int64_t terms, float* to) {
  for (int64_t t = 0; t < terms; ++t) {
    const float* from = a.data + t * a.term_step;
    if (rows == kBlockRows) {
      std::copy_n(from, kBlockRows, to + t * kBlockRows);
    } else {
      std::copy_n(from, rows, to + t * kBlockRows);
    }
  }
  return {.data = to, .row_step = 1, .term_step = kBlockRows};
}

// Rows [first, last), at most kBlockRows.
void row_block(const TableKernels& kernels, const TableProduct& product, int64_t first, int64_t last) {
  alignas(kLineBytes) float tables[kDepthBlock / kGroup * kTableRows * kMostTableEntries];
  alignas(kLineBytes) float block[kDepthBlock * kBlockRows];
  for (int64_t term = 0; term < product.terms; term += kDepthBlock) {
    const int64_t terms = std::min(kDepthBlock, product.terms - term);
    FloatRows a = product.a;
    a.data += first * a.row_step + term * a.term_step;
    if (a.term_step >= kFarTerms) a = packed(a, last - first, terms, block);
    TableTile tile{.tables = tables,
                   .groups = (terms + kGroup - 1) / kGroup,
                   .index = product.index->word((product.index_term + term) / kWordBits),
                   .index_stride = product.index->stride(),
                   .columns = product.columns,
                   .c_step = product.c_step,
                   .add = product.add || term > 0};
    for (int64_t row = first; row < last; row += kTableRows) {
      tile.c = product.c + row * product.c_step;
      kernels.fill(a, row - first, last - first, 0, terms, tile.groups, tables);
      if (row + kTableRows <= last) {
        kernels.add(tile);
      } else {
        add_part(kernels, tile, last - row);
      }
    }
  }
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
  for (; first < last; first += kBlockRows) row_block(kernels, product, first, std::min(first + kBlockRows, last));
}

}  // namespace bitsweep::kernels
