// The type that a block computes in.
#pragma once

#include <ATen/core/Tensor.h>

namespace bitsweep::nn {

// What the matrix products of `x` are computed in: autocast's type where autocast is on for its device, else x's own.
at::ScalarType compute_type(const at::Tensor& x);

}  // namespace bitsweep::nn
