// The α-scaled 1-bit linear: y = x · (α ⊙ sign(W))ᵀ − threshold, α_o = mean |W_o| over the inputs of output channel o.
// XNOR-Net's scale (Rastegari et al. 2016), per channel. The scale is applied after the product of signs.
#pragma once

#include "nn/module.h"
#include "nn/sign_linear.h"

namespace bitsweep {

class AlphaLinear {
 public:
  // Registers weight [d_out, d_in] ~ N(0, 0.02²) and threshold [d_out] = 0. α is no parameter: it follows the weight.
  AlphaLinear(const ParameterSink& sink, int64_t d_in, int64_t d_out, OutputSign output);
  // x [..., d_in] -> [..., d_out]
  at::Tensor forward(const at::Tensor& x) const;

 private:
  at::Tensor weight_, threshold_;
  OutputSign output_;
};

}  // namespace bitsweep
