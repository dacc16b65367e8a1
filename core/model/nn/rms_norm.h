// RMSNorm (Zhang, Sennrich 2019): y = x / √(mean(x²) + ε) ⊙ γ over the last dimension.
#pragma once

#include "nn/module.h"

namespace bitsweep::nn {

inline constexpr double kRmsNormEpsilon = 1e-6;  // ε

// x [..., d], gamma [d] -> [..., d] in x's type; reductions in f32. Keeps x and one number a row for the backward pass.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& gamma, double epsilon = kRmsNormEpsilon);

class RmsNorm {
 public:
  // Registers gamma [d] = 1.
  RmsNorm(const ParameterSink& sink, int64_t d, double epsilon = kRmsNormEpsilon);
  at::Tensor forward(const at::Tensor& x) const;

 private:
  at::Tensor gamma_;
  double epsilon_;
};

}  // namespace bitsweep::nn
