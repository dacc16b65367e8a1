#include "nn/linear.h"

#include <ATen/ATen.h>

namespace bitsweep::nn {

Linear::Linear(const ParameterSink& sink, int64_t d_in, int64_t d_out, double sd)
    : weight_(sink.normal("weight", {d_out, d_in}, sd)) {}

at::Tensor Linear::forward(const at::Tensor& x) const { return at::linear(x, weight_); }

}  // namespace bitsweep::nn
