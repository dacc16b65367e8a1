// The linears of BitNet: a norm of their own (SubLN: before the quantisation, so that the residual needs none) unless
// their input is normed already, 8-bit activations, and weights of one scale a matrix. No bias, no threshold.
#pragma once

#include <optional>

#include "nn/quant_linear.h"
#include "nn/rms_norm.h"

namespace bitsweep::nn {

// b1.58 (Ma et al. 2024, arXiv 2402.17764, and its training tips): weights in {−β, 0, β}, RMSNorm inside.
class TernaryLinear {
 public:
  static constexpr bool kHasEngine = true;  // engine_step.h computes the same
  // Registers norm.gamma [d_in] = 1 and weight [d_out, d_in] ~ N(0, sd²). norm_epsilon: nothing: no norm.
  TernaryLinear(const ParameterSink& sink, int64_t d_in, int64_t d_out, double sd = kLatentSd,
                std::optional<double> norm_epsilon = kRmsNormEpsilon);
  // x [..., d_in] -> [..., d_out]
  at::Tensor forward(const at::Tensor& x) const;

 private:
  std::optional<RmsNorm> norm_;
  at::Tensor weight_;
};

// b1 (Wang et al. 2023, arXiv 2310.11453): weights in {−β, β} around their mean, LayerNorm inside (RMSNorm of x less
// its mean; a gain, no bias).
class BinaryLinear {
 public:
  static constexpr bool kHasEngine = true;  // likewise
  // Registers norm.gamma [d_in] = 1 and weight [d_out, d_in] ~ N(0, sd²). norm_epsilon: nothing: no norm.
  BinaryLinear(const ParameterSink& sink, int64_t d_in, int64_t d_out, double sd = kLatentSd,
               std::optional<double> norm_epsilon = kRmsNormEpsilon);
  // x [..., d_in] -> [..., d_out]
  at::Tensor forward(const at::Tensor& x) const;

 private:
  std::optional<RmsNorm> norm_;
  at::Tensor weight_;
};

}  // namespace bitsweep::nn
