// What the implementations of table_products.h by instruction set share. Only this room's .cpp files include it.
#pragma once

#include "kernels/intrinsics.h"
#include "kernels/table_products.h"

namespace bitsweep::kernels {

// A block of four rows and four terms, as far as there are that many; the rest is 0.
inline void copy_block(const FloatRows& a, int64_t row, int64_t rows, int64_t term, int64_t terms,
                       float (&block)[kTableRows][kGroup]) {
  const float* from = a.data + row * a.row_step + term * a.term_step;
  for (int64_t q = 0; q < kTableRows; ++q)
    for (int64_t t = 0; t < kGroup; ++t)
      block[q][t] = row + q < rows && term + t < terms ? from[q * a.row_step + t * a.term_step] : 0.0f;
}

#ifdef BITSWEEP_INTRINSICS
void fill_tables_avx2(const FloatRows& a, int64_t row, int64_t rows, int64_t term, int64_t terms, int64_t groups,
                      float* tables);
void table_rows_avx2(const TableProduct& product, int64_t first, int64_t last);
void table_rows_avx512(const TableProduct& product, int64_t first, int64_t last);
extern const TableKernels kTablesAvx2, kTablesAvx512;
#endif

}  // namespace bitsweep::kernels
