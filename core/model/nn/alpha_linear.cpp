#include "nn/alpha_linear.h"

#include <ATen/ATen.h>

namespace bitsweep::nn {

AlphaLinear::AlphaLinear(const ParameterSink& sink, int64_t d_in, int64_t d_out, OutputSign output, Alpha alpha)
    : weight_(sink.normal("weight", {d_out, d_in}, kLatentSd)),
      threshold_(sink.constant("threshold", {d_out}, 0.0)),
      output_(output) {
  if (alpha == Alpha::mean) return;
  alpha_ = sink.constant("alpha", {d_out}, 0.0);
  const at::NoGradGuard no_grad;
  alpha_.copy_(weight_.abs().mean(1));
}

at::Tensor AlphaLinear::forward(const at::Tensor& x, double binarized) const {
  return sign_linear_alpha(x, weight_, threshold_, output_, alpha_, binarized);
}

}  // namespace bitsweep::nn
