#include "kernels/outer_products.h"

#include <algorithm>
#include <cmath>

#include "kernels/buffer.h"
#include "kernels/outer_product_isas.h"

namespace bitsweep::kernels {
namespace {

// Without clones: a CPU that multiplies and adds in one step has a tile of its own, and the others call fmaf anyway.
constexpr int64_t kPlainRows = 4, kPlainColumns = 16;

void tile_plain(int64_t rows, const OuterTile& tile) {
  for (int64_t i = 0; i < rows; ++i) {
    float sums[kPlainColumns] = {};
    for (int64_t r = 0; r < tile.depth; ++r) {
      const float a = tile.a[r * rows + i];
      const float* b = tile.b + r * kPlainColumns;
      for (int64_t j = 0; j < kPlainColumns; ++j) sums[j] = std::fma(a, b[j], sums[j]);
    }
    float* c = tile.c + i * tile.c_step;
    for (int64_t j = 0; j < kPlainColumns; ++j) c[j] = tile.add ? c[j] + sums[j] : sums[j];
  }
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

constexpr OuterKernels kPlain{kPlainRows, kPlainColumns, pack_panels<CopyPlain<kPlainRows>, false>,
                              pack_panels<CopyPlain<kPlainColumns>, true>, tile_plain};

// What is packed at once. A's panels lie in the second cache, and each of B's in the first while those of A pass by;
// all of B's together may lie further out.
constexpr int64_t kColumnsA = 192, kColumnsB = 1024;
constexpr int64_t kMostPanels = std::max(kColumnsA, kColumnsB / kLeastOuterColumns);

struct Packed {
  Buffer<float> floats;
  int64_t begins[kMostPanels + 1] = {};  // their first columns, and where the last one ends
  int64_t count = 0, panel_step = 0;

  // Of rows [row, row + depth) of a matrix.
  void take(void (*pack)(const OuterPanels&), const float* from, int64_t step, int64_t depth, int64_t most_columns) {
    panel_step = kOuterDepth * most_columns + kOuterSlack;
    pack({.from = from,
          .step = step,
          .depth = depth,
          .begins = begins,
          .count = count,
          .to = floats.at_least(count * panel_step),
          .panel_step = panel_step});
  }
  int64_t width(int64_t panel) const { return begins[panel + 1] - begins[panel]; }
  const float* panel(int64_t panel) const { return floats.at(panel * panel_step); }
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

// A tile of fewer columns, through a whole one.
void part_of_tile(const OuterKernels& kernels, int64_t rows, int64_t columns, const OuterTile& part) {
  alignas(kLineBytes) float whole[kMostOuterRows * kMostOuterColumns];
  OuterTile tile = part;
  tile.c = whole;
  tile.c_step = kernels.tile_columns;
  tile.add = false;
  kernels.tile(rows, tile);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      float& c = part.c[i * part.c_step + j];
      const float sum = whole[i * tile.c_step + j];
      c = part.add ? c + sum : sum;
    }
}

// What `depth` rows of the panels give: each of B's with all of A's.
void add_tiles(const OuterKernels& kernels, const OuterProduct& product, const Packed& a, const Packed& b,
               int64_t depth, bool add) {
  for (int64_t j = 0; j < b.count; ++j)
    for (int64_t i = 0; i < a.count; ++i) {
      const OuterTile tile{.a = a.panel(i),
                           .b = b.panel(j),
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

void clear_rows(const OuterProduct& product, int64_t first, int64_t last) {
  for (int64_t i = first; i < last; ++i) std::fill_n(product.c + i * product.c_step, product.columns, 0.0f);
}

}  // namespace

const OuterKernels& outer_kernels([[maybe_unused]] Isa isa) {
#ifdef BITSWEEP_INTRINSICS
  if (isa == Isa::avx512_vpopcnt || isa == Isa::avx512) return kOuterAvx512;
  if (isa == Isa::avx2) return kOuterAvx2;
#endif
  return kPlain;
}

int64_t outer_scratch_bytes(int64_t rows, int64_t columns) {
  const int64_t packed = std::min(kColumnsA, rows) + std::min(kColumnsB, columns);
  return kOuterDepth * packed * static_cast<int64_t>(sizeof(float));
}

void outer_product_rows(const OuterProduct& product, int64_t first, int64_t last) {
  if (product.rows == 0 && !product.add) return clear_rows(product, first, last);
  const OuterKernels& kernels = outer_kernels(current_isa());
  const int64_t panels = (last - first + kernels.tile_rows - 1) / kernels.tile_rows;
  const int64_t at_once = kColumnsA / kernels.tile_rows;
  thread_local Packed a, b;
  for (int64_t row = 0; row < product.rows; row += kOuterDepth) {
    const int64_t depth = std::min(kOuterDepth, product.rows - row);
    for (int64_t column = 0; column < product.columns; column += kColumnsB) {
      cut(column, std::min(column + kColumnsB, product.columns), kernels.tile_columns, b);
      b.take(kernels.pack_b, product.b + row * product.b_step, product.b_step, depth, kernels.tile_columns);
      for (int64_t panel = 0; panel < panels; panel += at_once) {
        cut_evenly(first, last, panels, panel, std::min(at_once, panels - panel), a);
        a.take(kernels.pack_a, product.a + row * product.a_step, product.a_step, depth, kernels.tile_rows);
        add_tiles(kernels, product, a, b, depth, product.add || row > 0);
      }
    }
  }
}

}  // namespace bitsweep::kernels
