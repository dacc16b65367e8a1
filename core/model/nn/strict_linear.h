// The strict ±1 linear: y = (x · sign(W)ᵀ) / √d_in − threshold, one threshold an output; no other float but the
// threshold.
#pragma once

#include "nn/module.h"
#include "nn/sign_linear.h"

namespace bitsweep::nn {

class StrictLinear {
 public:
  // Registers weight [d_out, d_in] ~ N(0, 0.02²) and threshold [d_out] = 0.
  StrictLinear(const ParameterSink& sink, int64_t d_in, int64_t d_out, OutputSign output = OutputSign::clipped);
  // x [..., d_in] -> [..., d_out]
  at::Tensor forward(const at::Tensor& x) const;

 private:
  at::Tensor weight_, threshold_;
  double scale_;
  OutputSign output_;
};

}  // namespace bitsweep::nn
