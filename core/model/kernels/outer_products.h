// Products of floats with floats over rows: the gradient of a weight whose input is floats.
//
//   C[i, j] = (or +=) Σ_r A[r, i] · B[r, j]          A [rows, …], B [rows, columns], C f32
//
// The order of every sum is fixed, whatever the instruction set, the cut and the neighbours: over 256 rows in their
// order a chain of fused multiply-adds from 0, each rounded once; over these blocks in their order, from C (add) or
// from the first block's sum. So a result is the same bits everywhere, but for which NaN it is.
#pragma once

#include <cstdint>

#include "kernels/isa.h"

namespace bitsweep::kernels {

inline constexpr int64_t kOuterDepth = 256;  // rows of A and B that are one chain

// What to compute; steps are from row to row. add: to what C has.
struct OuterProduct {
  const float* a = nullptr;
  int64_t a_step = 0;
  const float* b = nullptr;
  int64_t b_step = 0;
  int64_t rows = 0, columns = 0;  // of B; C has as many columns
  float* c = nullptr;
  int64_t c_step = 0;
  bool add = false;
};

// Where callers cut C for their threads: at multiples of this many rows, so that tiles are whole on every CPU.
inline constexpr int64_t kOuterRows = 12;

// Rows [first, last) of C, which are columns of A.
void outer_product_rows(const OuterProduct& product, int64_t first, int64_t last);

// That a thread keeps for products of up to so many rows and columns of C, about.
int64_t outer_scratch_bytes(int64_t rows, int64_t columns);

// What an instruction set does. A panel is a few columns of A or B, row after row without gaps, of at most kOuterDepth
// rows; a tile is what a panel of A and one of B give.
struct OuterTile {
  const float* a = nullptr;  // [depth, rows of the tile]
  const float* b = nullptr;  // [depth, tile_columns], aligned to a cache line
  int64_t depth = 0;
  float* c = nullptr;  // [rows of the tile, tile_columns]
  int64_t c_step = 0;
  bool add = false;
};
struct OuterPanels {
  const float* from = nullptr;  // a matrix of `depth` rows
  int64_t step = 0, depth = 0;
  const int64_t* begins = nullptr;  // the panels' first columns, and where the last one ends
  int64_t count = 0;
  float* to = nullptr;
  int64_t panel_step = 0;  // from panel to panel
};
struct OuterKernels {
  int64_t tile_rows, tile_columns;
  void (*pack_a)(const OuterPanels& panels);
  void (*pack_b)(const OuterPanels& panels);          // each as wide as a tile, with 0 where B has no column
  void (*tile)(int64_t rows, const OuterTile& tile);  // of 1 to tile_rows rows
};
const OuterKernels& outer_kernels(Isa isa);

}  // namespace bitsweep::kernels
