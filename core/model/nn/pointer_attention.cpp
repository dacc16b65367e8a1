#include "nn/pointer_attention.h"

#include <cmath>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "nn/heads.h"
#include "nn/scores.h"

namespace bitsweep::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

double score_scale(int64_t head_size) { return 1.0 / std::sqrt(static_cast<double>(head_size)); }

// values [B·H, T, d_h] at the chosen keys [B·H, T] -> [B·H, T, d_h]
at::Tensor take_values(const at::Tensor& values, const at::Tensor& choice) {
  const int64_t size = values.size(2);
  return values.gather(1, choice.unsqueeze(2).expand({-1, -1, size}));
}

// What the autograd function needs beside tensors; outlives it by living in the call.
struct PointerCall {
  int64_t heads;
  CausalBias* bias;
  ScoreTerms terms;
};

struct PointerFunction : Function<PointerFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            const PointerCall* call) {
    const at::Tensor queries = split_heads(q, call->heads), keys = split_heads(k, call->heads),
                     values = split_heads(v, call->heads);  // [B·H, T, d_h]
    at::Tensor choice;
    const at::Tensor probabilities =
        softmax_scores(at::bmm(queries, keys.transpose(1, 2)), call->terms, *call->bias, &choice);
    context->save_for_backward({queries, keys, values, probabilities, choice});
    context->saved_data["heads"] = call->heads;
    context->saved_data["tau"] = call->terms.tau;
    return merge_heads(take_values(values, choice), call->heads);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &queries = saved[0], &keys = saved[1], &values = saved[2], &p = saved[3], &choice = saved[4];
    const int64_t heads = context->saved_data["heads"].toInt(), size = values.size(2);
    const at::Tensor g = split_heads(gradients[0].contiguous(), heads);  // [B·H, T, d_h]
    // Straight to z: score_scale and 1/τ are one factor.
    ScoreTerms terms;
    terms.scale = score_scale(size) / context->saved_data["tau"].toDouble();
    const at::Tensor dz = softmax_scores_backward(p, at::bmm(g, values.transpose(1, 2)), terms);  // [B·H, T, T]
    // One thread adds each head's rows in order on the CPU, so the sum is the same in every run.
    const at::Tensor dv =
        at::zeros_like(values).scatter_add_(1, choice.unsqueeze(2).expand({-1, -1, size}), g);
    return {merge_heads(at::bmm(dz, keys), heads), merge_heads(at::bmm(dz.transpose(1, 2), queries), heads),
            merge_heads(dv, heads), at::Tensor()};
  }
};

}  // namespace

at::Tensor pointer_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                             CausalBias& bias, const std::optional<PointerNoise>& noise) {
  if (!noise) {
    const at::Tensor choice = pointer_indices(q, k, heads, bias).flatten(0, 1);  // [B·H, T]
    return merge_heads(take_values(split_heads(v, heads), choice), heads);
  }
  PointerCall call{heads, &bias, {}};
  call.terms.scale = score_scale(q.size(2) / heads);
  call.terms.tau = noise->tau;
  call.terms.generator = noise->generator;
  return PointerFunction::apply(q, k, v, static_cast<const PointerCall*>(&call));
}

at::Tensor pointer_indices(const at::Tensor& q, const at::Tensor& k, int64_t heads, CausalBias& bias) {
  at::NoGradGuard no_grad;
  ScoreTerms terms;
  terms.scale = score_scale(q.size(2) / heads);
  const at::Tensor scores = at::bmm(split_heads(q, heads), split_heads(k, heads).transpose(1, 2));
  return choose_keys(scores, terms, bias).view({q.size(0), heads, q.size(1)});
}

double log_schedule(double start, double end, double progress) { return start * std::pow(end / start, progress); }

}  // namespace bitsweep::nn
