#include "kernels/quantized_products.h"

#include <algorithm>
#include <cstring>

#include "base/simd.h"
#include "kernels/quantized_product_isas.h"

namespace bitsweep::kernels {
namespace {

constexpr int64_t kTriple = 3, kTripleTable = 8;

// Columns and rows that share the index and the sums that lie in a core's second cache: 320 KB of index at most, and
// 64 KB of sums.
constexpr int64_t kColumnBlock = 1024;
constexpr int64_t kRowBlock = 16;

// The tables of the plain tiles, `Tables` threes an entry.
template <class Integer, int64_t Tables>
void build_triples_plain(const void* const rows[kQuantizedRows], int64_t entries, uint8_t* tables) {
  for (int64_t g = 0; g < entries; ++g) {
    for (int64_t q = 0; q < kQuantizedRows; ++q) {
      for (int64_t t = 0; t < Tables; ++t) {
        const Integer* x = static_cast<const Integer*>(rows[q]) + (g * Tables + t) * kTriple;
        Integer table[kTripleTable];
        for (int e = 0; e < kTripleTable; ++e)
          table[e] = static_cast<Integer>((e & 1 ? -x[0] : x[0]) + (e & 2 ? -x[1] : x[1]) + (e & 4 ? -x[2] : x[2]));
        std::memcpy(tables, table, sizeof table);
        tables += sizeof table;
      }
    }
  }
}

// Σ over the entries of what `look_up(table of the entry, two bytes of its index)` finds.
template <class LookUp>
void tile_plain(const QuantizedTile& tile, int64_t table_bytes, const LookUp& look_up) {
  for (int64_t q = 0; q < kQuantizedRows; ++q) {
    for (int64_t j = 0; j < tile.blocks * kIndexColumns; ++j) {
      const uint8_t* index = tile.index + j / kIndexColumns * tile.index_step + j % kIndexColumns * 2;
      const uint8_t* table = tile.tables + q * table_bytes;
      int32_t sum = tile.add ? tile.sums[q * tile.sums_step + j] : 0;
      for (int64_t g = 0; g < tile.entries; ++g) {
        sum += look_up(table, index);
        index += 2 * kIndexColumns;
        table += kQuantizedRows * table_bytes;
      }
      tile.sums[q * tile.sums_step + j] = sum;
    }
  }
}
void triples16_tile_plain(const QuantizedTile& tile) {
  tile_plain(tile, kTripleTable * 2, [](const uint8_t* table, const uint8_t* index) {
    int16_t value;
    std::memcpy(&value, table + index[0], sizeof value);
    return int32_t{value};
  });
}
void triples8_tile_plain(const QuantizedTile& tile) {
  tile_plain(tile, kTripleTable * 2, [](const uint8_t* table, const uint8_t* index) {
    return int32_t{static_cast<int8_t>(table[index[0]])} + static_cast<int8_t>(table[index[1]]);
  });
}

BITSWEEP_CLONES void write_row(const int32_t* sums, float scale, int64_t columns, bool add, float* c) {
  if (add) {
    for (int64_t j = 0; j < columns; ++j) c[j] += static_cast<float>(sums[j]) * scale;
  } else {
    for (int64_t j = 0; j < columns; ++j) c[j] = static_cast<float>(sums[j]) * scale;
  }
}

// Columns [column, column + columns) of rows [first, last), `columns` at most kColumnBlock.
class ColumnBlock {
 public:
  ColumnBlock(const QuantizedProduct& product, int64_t column, int64_t columns)
      : product_(product),
        kernels_(quantized_kernels(product.index->kind(), product.index->isa())),
        entry_terms_(terms_of_entry(product.index->form())),
        column_(column),
        columns_(columns),
        sums_step_(rounded_up(columns, kIndexColumns)) {}

  void rows(int64_t first, int64_t last) {
    const int64_t depth = product_.a->depth(), step = quantized_depth_block(product_.index->kind());
    // With one depth block every four rows' sums are complete at once: no more of them need room.
    const int64_t rows = depth > step ? kRowBlock : kQuantizedRows;
    thread_local Buffer<int32_t> room;
    int32_t* const sums = room.at_least(kRowBlock * kColumnBlock);
    for (int64_t i = first; i < last; i += rows) {
      for (int64_t r = 0; r < depth; r += step) {
        for (int64_t q = i; q < std::min(i + rows, last); q += kQuantizedRows)
          add_terms(q, last, r, std::min(step, depth - r), sums + (q - i) * sums_step_);
      }
      for (int64_t q = i; q < std::min(i + rows, last); ++q)
        write_row(sums + (q - i) * sums_step_, product_.a->scales()[q], columns_, product_.add,
                  product_.c + q * product_.c_step + column_);
    }
  }

 private:
  // Terms [r, r + terms) of four rows from `row`, those beyond the last as its copies.
  void add_terms(int64_t row, int64_t last, int64_t r, int64_t terms, int32_t* sums) const {
    alignas(kLineBytes) uint8_t tables[kMostTableBytes];
    const QuantizedIndex& index = *product_.index;
    const void* from[kQuantizedRows];
    for (int64_t q = 0; q < kQuantizedRows; ++q) {
      const int64_t i = std::min(row + q, last - 1);
      from[q] = index.kind() == QuantizedKind::int16 ? static_cast<const void*>(product_.a->words(i) + r)
                                                     : static_cast<const void*>(product_.a->bytes(i) + r);
    }
    const int64_t entries = (terms + entry_terms_ - 1) / entry_terms_, block = column_ / kIndexColumns;
    kernels_.build(from, entries, tables);
    kernels_.tile({.tables = tables,
                   .entries = entries,
                   .index = index.entry(block, r / entry_terms_),
                   .index_step = index.entry(1, 0) - index.entry(0, 0),
                   .blocks = sums_step_ / kIndexColumns,
                   .sums = sums,
                   .sums_step = sums_step_,
                   .add = r > 0});
  }

  const QuantizedProduct& product_;
  QuantizedKernels kernels_;
  int64_t entry_terms_, column_, columns_, sums_step_;
};

}  // namespace

QuantizedKernels quantized_kernels(QuantizedKind kind, Isa isa) {
  switch (index_form(kind, isa)) {
#ifdef BITSWEEP_INTRINSICS
    case IndexForm::fives16:
      return {build_fives16_avx512, fives16_tile_avx512};
    case IndexForm::fours8:
      return {build_fours8_vnni, fours8_tile_vnni};
    case IndexForm::triples16:
      if (isa >= Isa::avx2) return {build_triples16_avx2, triples16_tile_avx2};
      break;
    case IndexForm::triples8:
      if (isa >= Isa::avx512) return {build_triples8_avx2, triples8_tile_avx512};
      if (isa >= Isa::avx2) return {build_triples8_avx2, triples8_tile_avx2};
      break;
#else
    default:
      break;
#endif
  }
  if (kind == QuantizedKind::int16) return {build_triples_plain<int16_t, 1>, triples16_tile_plain};
  return {build_triples_plain<int8_t, 2>, triples8_tile_plain};
}

void quantized_product_rows(const QuantizedProduct& product, int64_t first, int64_t last) {
  const int64_t columns = product.index->columns();
  for (int64_t j = 0; j < columns; j += kColumnBlock)
    ColumnBlock(product, j, std::min(kColumnBlock, columns - j)).rows(first, last);
}

}  // namespace bitsweep::kernels
