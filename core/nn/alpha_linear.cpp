#include "nn/alpha_linear.h"

namespace bitsweep {

AlphaLinear::AlphaLinear(const ParameterSink& sink, int64_t d_in, int64_t d_out, OutputSign output)
    : weight_(sink.normal("weight", {d_out, d_in}, kLatentSd)),
      threshold_(sink.constant("threshold", {d_out}, 0.0)),
      output_(output) {}

at::Tensor AlphaLinear::forward(const at::Tensor& x) const {
  return sign_linear_alpha(x, weight_, threshold_, output_);
}

}  // namespace bitsweep
