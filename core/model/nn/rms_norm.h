// RMSNorm (Zhang, Sennrich 2019): y = x / √(mean(x²) + ε) ⊙ γ over the last dimension, ε = 1e-6.
#pragma once

#include "nn/module.h"

namespace bitsweep::nn {

inline constexpr double kRmsNormEpsilon = 1e-6;

// x [..., d], gamma [d] -> [..., d] in x's type; reductions in f32. Keeps x and one number a row for the backward pass.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& gamma);

class RmsNorm {
 public:
  // Registers gamma [d] = 1.
  RmsNorm(const ParameterSink& sink, int64_t d);
  at::Tensor forward(const at::Tensor& x) const;

 private:
  at::Tensor gamma_;
};

}  // namespace bitsweep::nn
