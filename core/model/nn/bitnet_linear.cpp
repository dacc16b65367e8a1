#include "nn/bitnet_linear.h"

#include <ATen/ATen.h>

namespace bitsweep::nn {
namespace {

// Of a linear of d_in inputs. Registered before its weight.
std::optional<RmsNorm> inner_norm(const ParameterSink& sink, int64_t d_in, std::optional<double> epsilon) {
  if (!epsilon) return std::nullopt;
  return RmsNorm(sink.scope("norm"), d_in, *epsilon);
}

}  // namespace

TernaryLinear::TernaryLinear(const ParameterSink& sink, int64_t d_in, int64_t d_out, double sd,
                             std::optional<double> norm_epsilon)
    : norm_(inner_norm(sink, d_in, norm_epsilon)), weight_(sink.normal("weight", {d_out, d_in}, sd)) {}

at::Tensor TernaryLinear::forward(const at::Tensor& x) const {
  return quant_linear(norm_ ? norm_->forward(x) : x, weight_, WeightCode::ternary);
}

BinaryLinear::BinaryLinear(const ParameterSink& sink, int64_t d_in, int64_t d_out, double sd,
                           std::optional<double> norm_epsilon)
    : norm_(inner_norm(sink, d_in, norm_epsilon)), weight_(sink.normal("weight", {d_out, d_in}, sd)) {}

at::Tensor BinaryLinear::forward(const at::Tensor& x) const {
  return quant_linear(norm_ ? norm_->forward(x - x.mean(-1, /*keepdim=*/true)) : x, weight_, WeightCode::binary);
}

}  // namespace bitsweep::nn
