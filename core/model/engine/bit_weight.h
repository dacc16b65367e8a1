// One ±1 matrix of a model as the products of a step want it.
#pragma once

#include <cstdint>

#include "engine/workers.h"
#include "kernels/bit_products.h"

namespace bitsweep::engine {

// Where its signs come from, [out, in] row by row: latents, or bits as nn/bits.h has them (64 a word, 1 is +1).
struct SignSource {
  const float* latents = nullptr;
  const int64_t* bits = nullptr;
};

class BitWeight {
 public:
  BitWeight() = default;
  BitWeight(int64_t outputs, int64_t inputs);

  // transposes: for the way back too.
  void pack(const SignSource& source, bool transposes, const Workers& workers);

  const kernels::SignBits& rows() const { return rows_; }              // [out, in]
  const kernels::SignBits& transposed() const { return transposed_; }  // [in, out]
  static int64_t bytes(int64_t outputs, int64_t inputs);

 private:
  kernels::SignBits rows_, transposed_;
};

// out[r] = the signs of row index[r] of the source, which has out.columns() columns, for rows [0, rows).
void gather_rows(const SignSource& source, const int64_t* index, int64_t rows, kernels::SignBits& out,
                 const Workers& workers);

}  // namespace bitsweep::engine
