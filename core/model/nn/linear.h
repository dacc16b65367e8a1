// The full-precision linear without bias: y = x · Wᵀ.
#pragma once

#include "nn/module.h"

namespace bitsweep::nn {

class Linear {
 public:
  static constexpr bool kHasEngine = true;  // engine_step.h computes the same
  // Registers weight [d_out, d_in] ~ N(0, sd²).
  Linear(const ParameterSink& sink, int64_t d_in, int64_t d_out, double sd = 0.02);
  // x [..., d_in] -> [..., d_out]
  at::Tensor forward(const at::Tensor& x) const;

 private:
  at::Tensor weight_;
};

}  // namespace bitsweep::nn
