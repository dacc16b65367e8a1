// The α-scaled 1-bit linear: y = x · (α ⊙ sign(W))ᵀ − threshold, one α an output channel (XNOR-Net's scale, Rastegari
// et al. 2016). The scale is applied after the product of signs.
#pragma once

#include "nn/module.h"
#include "nn/sign_linear.h"

namespace bitsweep::nn {

enum class Alpha {
  mean,     // α_o = mean |W_o| over the channel's inputs: no parameter, it follows the weight
  learned,  // a parameter [d_out], which starts there
};

class AlphaLinear {
 public:
  // Registers weight [d_out, d_in] ~ N(0, 0.02²), threshold [d_out] = 0 and, when learned, alpha [d_out].
  AlphaLinear(const ParameterSink& sink, int64_t d_in, int64_t d_out, OutputSign output, Alpha alpha = Alpha::mean);
  // x [..., d_in] -> [..., d_out]. binarized: the m of binarize.h.
  at::Tensor forward(const at::Tensor& x, double binarized = 1.0) const;

 private:
  at::Tensor weight_, threshold_;
  at::Tensor alpha_;  // undefined when it is the mean
  OutputSign output_;
};

}  // namespace bitsweep::nn
