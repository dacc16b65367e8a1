#include "nn/sign_embedding.h"

#include <cmath>

#include <ATen/ATen.h>

#include "nn/block_scope.h"
#include "nn/compute_type.h"
#include "nn/gradients.h"
#include "nn/sign.h"
#include "nn/sign_linear.h"

namespace bitsweep::nn {

SignEmbedding::SignEmbedding(const ParameterSink& sink, int64_t vocab, int64_t d)
    : weight_(sink.normal("weight", {vocab, d}, kLatentSd)) {}

at::Tensor SignEmbedding::forward(const at::Tensor& tokens) const {
  BITSWEEP_BLOCK("embedding");
  return sign_ste(at::embedding(weight_, tokens)).to(compute_type(weight_));
}

SignHead::SignHead(const ParameterSink& sink, int64_t vocab, int64_t d)
    : weight_(sink.normal("weight", {vocab, d}, kLatentSd)),
      bias_(sink.constant("bias", {vocab}, 0.0)),
      logit_scale_(sink.constant("logit_scale", {1}, 1.0 / std::sqrt(static_cast<double>(d)))) {}

at::Tensor SignHead::forward(const at::Tensor& x) const {
  BITSWEEP_BLOCK("head");
  const at::Tensor dots = rounds_gradients() ? sign_linear(x, weight_, at::zeros_like(bias_), 1.0, OutputSign::none)
                                             : at::linear(x, sign_ste(weight_));
  return dots.to(at::kFloat) * logit_scale_ + bias_;
}

}  // namespace bitsweep::nn
