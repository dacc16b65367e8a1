// How a kernel is told of a matrix of floats that it multiplies.
#pragma once

#include <cstdint>

namespace bitsweep::kernels {

// A[i, r], row i and term r of its sums, is data[i · row_step + r · term_step]; one of the steps is 1.
struct FloatRows {
  const float* data = nullptr;
  int64_t row_step = 0, term_step = 1;
};

}  // namespace bitsweep::kernels
