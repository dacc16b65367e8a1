// Products of floats with floats, whichever way they lie: of a linear of f32 forward, of its weight and of its input.
//
//   C[i, j] = (or +=) Σ_r A[i, r] · B[j, r]          A [rows, terms], B [columns, terms], C [rows, columns] f32
//
// The order of every sum is fixed, whatever the instruction set, the cut and the neighbours: over 256 terms in their
// order a chain of fused multiply-adds from 0, each rounded once; over these blocks in their order, from C (add) or
// from the first block's sum. So a result is the same bits everywhere, but for which NaN it is.
#pragma once

#include <cstdint>

#include "kernels/float_rows.h"
#include "kernels/isa.h"

namespace bitsweep::kernels {

inline constexpr int64_t kChainTerms = 256;  // that are one chain

struct FloatProduct {
  FloatRows a, b;
  int64_t terms = 0, columns = 0;
  float* c = nullptr;
  int64_t c_step = 0;  // from row to row
  bool add = false;    // to what C has
};

// Where callers cut C for their threads: at multiples of this many rows, so that tiles are whole on every CPU.
inline constexpr int64_t kFloatTileRows = 12;

// Rows [first, last) of C.
void float_product_rows(const FloatProduct& product, int64_t first, int64_t last);

// That a thread keeps for products of up to so many rows and columns of C, about.
int64_t float_product_scratch_bytes(int64_t rows, int64_t columns);

// What an instruction set does. A tile is what a few rows of A and B give, B's packed term by term, or half as many of
// B's where no more are asked for.
struct FloatTile {
  const float* a = nullptr;  // A[i, r] is a[i · a_row + r · a_term]
  int64_t a_row = 0, a_term = 0;
  const float* b = nullptr;  // [depth, columns of the tile or of its half], b_term apart
  int64_t b_term = 0;
  int64_t depth = 0;
  float* c = nullptr;
  int64_t c_step = 0;
  bool add = false;
};
inline constexpr int64_t kMostTileRows = 12, kMostTileColumns = 32;
struct FloatKernels {
  int64_t tile_rows, tile_columns;
  void (*tile)(int64_t rows, const FloatTile& tile);  // of 1 to tile_rows rows
  void (*half_tile)(int64_t rows, const FloatTile& tile);
  // to[r, i] = from[i, r], [rows, terms] -> [terms, rows]; steps are from row to row.
  void (*transpose)(const float* from, int64_t from_step, int64_t rows, int64_t terms, float* to, int64_t to_step);
};
const FloatKernels& float_kernels(Isa isa);

// Rows [0, rows) × columns [0, columns) of a tile's C, of any size, by tiles: A as the tile has it, B packed with the
// columns of a tile side by side (b_term apart from term to term, as many as a multiple of a half tile), and C with
// room for those that are too many.
void add_float_tiles(const FloatKernels& kernels, int64_t rows, int64_t columns, const FloatTile& first);

}  // namespace bitsweep::kernels
