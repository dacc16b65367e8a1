#include "nn/strict_linear.h"

#include <cmath>

namespace bitsweep::nn {

StrictLinear::StrictLinear(const ParameterSink& sink, int64_t d_in, int64_t d_out, OutputSign output)
    : weight_(sink.normal("weight", {d_out, d_in}, kLatentSd)),
      threshold_(sink.constant("threshold", {d_out}, 0.0)),
      scale_(1.0 / std::sqrt(static_cast<double>(d_in))),
      output_(output) {}

at::Tensor StrictLinear::forward(const at::Tensor& x) const {
  return sign_linear(x, weight_, threshold_, scale_, output_);
}

}  // namespace bitsweep::nn
