#include "kernels/float_products.h"

#include <algorithm>
#include <cmath>

#include "kernels/buffer.h"
#include "kernels/float_product_isas.h"

namespace bitsweep::kernels {
namespace {

// Without clones: a CPU that multiplies and adds in one step has a tile of its own, and the others call fmaf anyway.
constexpr int64_t kPlainRows = 4, kPlainColumns = 16;

template <int64_t Columns>
void tile_plain(int64_t rows, const FloatTile& tile) {
  for (int64_t i = 0; i < rows; ++i) {
    float sums[Columns] = {};
    for (int64_t r = 0; r < tile.depth; ++r) {
      const float a = tile.a[i * tile.a_row + r * tile.a_term];
      const float* b = tile.b + r * tile.b_term;
      for (int64_t j = 0; j < Columns; ++j) sums[j] = std::fma(a, b[j], sums[j]);
    }
    float* c = tile.c + i * tile.c_step;
    for (int64_t j = 0; j < Columns; ++j) c[j] = tile.add ? c[j] + sums[j] : sums[j];
  }
}

void transpose_plain(const float* from, int64_t from_step, int64_t rows, int64_t terms, float* to, int64_t to_step) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t r = 0; r < terms; ++r) to[r * to_step + i] = from[i * from_step + r];
}

template <int64_t Floats>
struct CopyPlain {
  static constexpr int64_t kFloats = Floats;
  int64_t width;

  explicit CopyPlain(int64_t floats) : width(floats) {}
  void operator()(const float* from, float* to) const {
    for (int64_t k = 0; k < Floats; ++k) to[k] = k < width ? from[k] : 0.0f;
  }
};

constexpr FloatKernels kPlain{kPlainRows, kPlainColumns, tile_plain<kPlainColumns>, tile_plain<kPlainColumns / 2>,
                              transpose_plain};
constexpr PanelKernels kPlainPanels{pack_panels<CopyPlain<kPlainRows>, false>,
                                    pack_panels<CopyPlain<kPlainColumns>, true>};

// What is packed at once. A's panels lie in the second cache, and each of B's in the first while those of A pass by;
// all of B's together may lie further out.
constexpr int64_t kRowsA = 192, kColumnsB = 1024;
constexpr int64_t kMostPanels = std::max(kRowsA, kColumnsB / kLeastTileColumns);
// From row to row of a panel that lies row by row.
constexpr int64_t kPanelRow = kChainTerms + kPanelSlack;

// Panels of some rows each of A, or of B.
struct Packed {
  Buffer<float> floats;
  int64_t begins[kMostPanels + 1] = {};  // their first rows, and where the last one ends
  int64_t count = 0, panel_step = 0;
  bool by_rows = false;

  int64_t width(int64_t panel) const { return begins[panel + 1] - begins[panel]; }
  float* panel(int64_t panel) const { return floats.at(panel * panel_step); }

  // The panels' terms [term, term + depth).
  void take_a(const PanelKernels& kernels, const FloatRows& a, int64_t term, int64_t depth, int64_t most_rows) {
    by_rows = a.term_step == 1;
    panel_step = most_rows * kPanelRow;
    floats.at_least(count * panel_step + kPanelSlack);
    if (!by_rows) return take_columns(kernels.pack_a, a, term, depth);
    for (int64_t p = 0; p < count; ++p)
      for (int64_t i = begins[p]; i < begins[p + 1]; ++i)
        std::copy_n(a.data + i * a.row_step + term, depth, panel(p) + (i - begins[p]) * kPanelRow);
  }
  void take_b(const PanelKernels& panels, const FloatKernels& kernels, const FloatRows& b, int64_t term,
              int64_t depth) {
    panel_step = kChainTerms * kernels.tile_columns + kPanelSlack;
    floats.at_least(count * panel_step);
    if (b.row_step == 1) return take_columns(panels.pack_b, b, term, depth);
    for (int64_t p = 0; p < count; ++p) {
      if (width(p) < kernels.tile_columns) std::fill_n(panel(p), depth * kernels.tile_columns, 0.0f);
      kernels.transpose(b.data + begins[p] * b.row_step + term, b.row_step, width(p), depth, panel(p),
                        kernels.tile_columns);
    }
  }

 private:
  void take_columns(void (*pack)(const FloatPanels&), const FloatRows& from, int64_t term, int64_t depth) {
    pack({.from = from.data + term * from.term_step,
          .step = from.term_step,
          .depth = depth,
          .begins = begins,
          .count = count,
          .to = floats.data(),
          .panel_step = panel_step});
  }
};

// [first, last) in `panels` panels of nearly the same width, a narrow one at the end being slow; of these `count` from
// `panel` on.
void cut_evenly(int64_t first, int64_t last, int64_t panels, int64_t panel, int64_t count, Packed& packed) {
  packed.count = count;
  for (int64_t p = 0; p <= count; ++p) packed.begins[p] = first + (last - first) * (panel + p) / panels;
}

void cut(int64_t first, int64_t last, int64_t width, Packed& packed) {
  packed.count = (last - first + width - 1) / width;
  for (int64_t p = 0; p <= packed.count; ++p) packed.begins[p] = std::min(first + p * width, last);
}

// A tile of fewer columns, through a whole one or its half.
void part_of_tile(const FloatKernels& kernels, int64_t rows, int64_t columns, const FloatTile& part) {
  alignas(kLineBytes) float whole[kMostTileRows * kMostTileColumns];
  FloatTile tile = part;
  tile.c = whole;
  tile.c_step = kernels.tile_columns;
  tile.add = false;
  (2 * columns > kernels.tile_columns ? kernels.tile : kernels.half_tile)(rows, tile);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      float& c = part.c[i * part.c_step + j];
      const float sum = whole[i * tile.c_step + j];
      c = part.add ? c + sum : sum;
    }
}

// What `depth` terms of the panels give: each of B's with all of A's.
void add_tiles(const FloatKernels& kernels, const FloatProduct& product, const Packed& a, const Packed& b,
               int64_t depth, bool add) {
  for (int64_t j = 0; j < b.count; ++j)
    for (int64_t i = 0; i < a.count; ++i) {
      const FloatTile tile{.a = a.panel(i),
                           .a_row = a.by_rows ? kPanelRow : 1,
                           .a_term = a.by_rows ? 1 : a.width(i),
                           .b = b.panel(j),
                           .b_term = kernels.tile_columns,
                           .depth = depth,
                           .c = product.c + a.begins[i] * product.c_step + b.begins[j],
                           .c_step = product.c_step,
                           .add = add};
      if (b.width(j) == kernels.tile_columns) {
        kernels.tile(a.width(i), tile);
      } else {
        part_of_tile(kernels, a.width(i), b.width(j), tile);
      }
    }
}

void clear_rows(const FloatProduct& product, int64_t first, int64_t last) {
  for (int64_t i = first; i < last; ++i) std::fill_n(product.c + i * product.c_step, product.columns, 0.0f);
}

}  // namespace

const FloatKernels& float_kernels([[maybe_unused]] Isa isa) {
#ifdef BITSWEEP_INTRINSICS
  if (isa == Isa::avx512_vpopcnt || isa == Isa::avx512) return kFloatsAvx512;
  if (isa == Isa::avx2) return kFloatsAvx2;
#endif
  return kPlain;
}

const PanelKernels& panel_kernels([[maybe_unused]] Isa isa) {
#ifdef BITSWEEP_INTRINSICS
  if (isa == Isa::avx512_vpopcnt || isa == Isa::avx512) return kPanelsAvx512;
  if (isa == Isa::avx2) return kPanelsAvx2;
#endif
  return kPlainPanels;
}

int64_t float_product_scratch_bytes(int64_t rows, int64_t columns) {
  const int64_t packed = kPanelRow * std::min(kRowsA, rows) + kChainTerms * std::min(kColumnsB, columns);
  return packed * static_cast<int64_t>(sizeof(float));
}

void float_product_rows(const FloatProduct& product, int64_t first, int64_t last) {
  if (product.terms == 0 && !product.add) return clear_rows(product, first, last);
  const FloatKernels& kernels = float_kernels(current_isa());
  const PanelKernels& packing = panel_kernels(current_isa());
  const int64_t panels = (last - first + kernels.tile_rows - 1) / kernels.tile_rows;
  const int64_t at_once = kRowsA / kernels.tile_rows;
  thread_local Packed a, b;
  for (int64_t term = 0; term < product.terms; term += kChainTerms) {
    const int64_t depth = std::min(kChainTerms, product.terms - term);
    for (int64_t column = 0; column < product.columns; column += kColumnsB) {
      cut(column, std::min(column + kColumnsB, product.columns), kernels.tile_columns, b);
      b.take_b(packing, kernels, product.b, term, depth);
      for (int64_t panel = 0; panel < panels; panel += at_once) {
        cut_evenly(first, last, panels, panel, std::min(at_once, panels - panel), a);
        a.take_a(packing, product.a, term, depth, kernels.tile_rows);
        add_tiles(kernels, product, a, b, depth, product.add || term > 0);
      }
    }
  }
}

void add_float_tiles(const FloatKernels& kernels, int64_t rows, int64_t columns, const FloatTile& first) {
  const int64_t panels = (rows + kernels.tile_rows - 1) / kernels.tile_rows;
  for (int64_t j = 0; j < columns; j += kernels.tile_columns) {
    const auto of_width = 2 * (columns - j) > kernels.tile_columns ? kernels.tile : kernels.half_tile;
    for (int64_t p = 0; p < panels; ++p) {
      const int64_t row = rows * p / panels;
      FloatTile tile = first;
      tile.a += row * tile.a_row;
      tile.b += j;
      tile.c += row * tile.c_step + j;
      of_width(rows * (p + 1) / panels - row, tile);
    }
  }
}

}  // namespace bitsweep::kernels
