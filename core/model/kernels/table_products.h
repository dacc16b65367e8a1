// Products of floats with a ±1 matrix by look-up ("four Russians"): of every four neighbours a of a row a table holds
// all signed sums, and four bits of the ±1 matrix say which of them each column takes.
//
//   C[i, j] = (or +=) Σ_r A[i, r] · S[r, j]          A [rows, depth] f32, S ±1, C [rows, columns] f32
//
// The order of every sum is fixed, whatever the instruction set, the cut and the neighbours: over four terms
// (±a0 ± a1) + (±a2 ± a3); over 64 such fours in their order, from 0; over these blocks of 256 terms in their order;
// and that, where C is added to, to C. So a result is the same bits everywhere, and lies about as near the exact one as
// a library's.
#pragma once

#include <cstdint>

#include "kernels/float_rows.h"
#include "kernels/isa.h"
#include "kernels/sign_bits.h"

namespace bitsweep::kernels {

inline constexpr int64_t kGroup = 4;  // terms of a look-up
inline constexpr int64_t kDepthBlock = 64 * kGroup;

// What to compute. S has `terms` rows and `columns` columns; index, [columns or more, depth], is its transposed, from
// column `index_term` on, a multiple of 32. add: to what C has.
struct TableProduct {
  FloatRows a;
  const SignBits* index = nullptr;
  int64_t index_term = 0;
  int64_t terms = 0, columns = 0;
  float* c = nullptr;
  int64_t c_step = 0;  // from row to row
  bool add = false;
};

// Rows [first, last) of C.
void table_product_rows(const TableProduct& product, int64_t first, int64_t last);

// What an instruction set does. The tables of kTableRows rows and a group of terms are [kTableRows][8]: four entries
// ±a0 ± a1, whose place says in its bit 0 whether a0 is subtracted, in bit 1 whether a1; and four of a2 and a3.
inline constexpr int64_t kTableRows = 4, kTableEntries = 8;
struct TableTile {
  const float* tables = nullptr;  // [groups][kTableRows][kTableEntries], of at most kDepthBlock terms
  int64_t groups = 0;
  const uint32_t* index = nullptr;  // of the first column and the block's first word
  int64_t index_stride = 0;         // from word to word
  int64_t columns = 0;
  float* c = nullptr;  // [kTableRows, columns]
  int64_t c_step = 0;
  bool add = false;
};
inline constexpr int64_t kWideRows = 16, kWideColumns = 32, kWideTerms = 32;
struct TableKernels {
  // Of terms [term, term + groups · kGroup) of rows [row, row + kTableRows); beyond `rows` and `terms` all is 0.
  void (*fill)(const FloatRows& a, int64_t row, int64_t rows, int64_t term, int64_t terms, int64_t groups,
               float* tables);
  void (*add)(const TableTile& tile);
  // Or null: rows [first, last), a multiple of kWideRows, where there are kWideColumns and kWideTerms or more.
  void (*wide)(const TableProduct& product, int64_t first, int64_t last);
};
const TableKernels& table_kernels(Isa isa);

}  // namespace bitsweep::kernels
