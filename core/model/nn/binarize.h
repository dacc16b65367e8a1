// Binarize-anneal (bonsai): while a run is young, a linear's weight is (1 − m) · W + m · W_q, W_q its quantized value,
// with m rising from 0 to 1; from then on the product is that of signs alone.
#pragma once

#include <algorithm>

#include <ATen/core/Tensor.h>

namespace bitsweep::nn {

// m: linear from 0 to 1 over the first `end_fraction` of a run. progress in [0, 1].
inline double binarized_part(double end_fraction, double progress) { return std::min(1.0, progress / end_fraction); }

// linear.forward(x) at m = `binarized`; a linear that knows no mixing takes none.
template <class LinearType>
at::Tensor forward_at(const LinearType& linear, const at::Tensor& x, double binarized) {
  if constexpr (requires { linear.forward(x, binarized); }) {
    return linear.forward(x, binarized);
  } else {
    return linear.forward(x);
  }
}

}  // namespace bitsweep::nn
