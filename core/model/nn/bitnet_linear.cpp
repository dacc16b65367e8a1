#include "nn/bitnet_linear.h"

#include <ATen/ATen.h>

namespace bitsweep::nn {

TernaryLinear::TernaryLinear(const ParameterSink& sink, int64_t d_in, int64_t d_out, double sd)
    : norm_(sink.scope("norm"), d_in), weight_(sink.normal("weight", {d_out, d_in}, sd)) {}

at::Tensor TernaryLinear::forward(const at::Tensor& x) const {
  return quant_linear(norm_.forward(x), weight_, WeightCode::ternary);
}

BinaryLinear::BinaryLinear(const ParameterSink& sink, int64_t d_in, int64_t d_out, double sd)
    : norm_(sink.scope("norm"), d_in), weight_(sink.normal("weight", {d_out, d_in}, sd)) {}

at::Tensor BinaryLinear::forward(const at::Tensor& x) const {
  return quant_linear(norm_.forward(x - x.mean(-1, /*keepdim=*/true)), weight_, WeightCode::binary);
}

}  // namespace bitsweep::nn
