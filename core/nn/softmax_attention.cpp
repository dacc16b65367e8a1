#include "nn/softmax_attention.h"

#include <cmath>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "nn/heads.h"
#include "nn/path.h"
#include "nn/scores.h"

namespace bitsweep {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Keeps the probabilities, [B·H, T, T]: at the contexts a CPU trains with, that is faster than making them again.
struct SoftmaxFunction : Function<SoftmaxFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            int64_t heads, CausalBias* bias) {
    const at::Tensor queries = split_heads(q, heads), keys = split_heads(k, heads),
                     values = split_heads(v, heads);  // [B·H, T, d_h]
    ScoreTerms terms;
    terms.scale = 1.0 / std::sqrt(static_cast<double>(queries.size(2)));
    const at::Tensor p = softmax_scores(at::bmm(queries, keys.transpose(1, 2)), terms, *bias, nullptr);
    context->save_for_backward({queries, keys, values, p});
    context->saved_data["heads"] = heads;
    return merge_heads(at::bmm(p, values), heads);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &queries = saved[0], &keys = saved[1], &values = saved[2], &p = saved[3];
    const int64_t heads = context->saved_data["heads"].toInt();
    const at::Tensor g = split_heads(gradients[0].contiguous(), heads);
    ScoreTerms terms;
    terms.scale = 1.0 / std::sqrt(static_cast<double>(queries.size(2)));
    const at::Tensor dv = at::bmm(p.transpose(1, 2), g);
    const at::Tensor dz = softmax_scores_backward(p, at::bmm(g, values.transpose(1, 2)), terms);
    return {merge_heads(at::bmm(dz, keys), heads), merge_heads(at::bmm(dz.transpose(1, 2), queries), heads),
            merge_heads(dv, heads), at::Tensor(), at::Tensor()};
  }
};

at::Tensor library_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                             CausalBias& bias) {
  const int64_t batch = q.size(0), context = q.size(1), size = q.size(2) / heads;
  const auto view = [&](const at::Tensor& x) { return x.view({batch, context, heads, size}).transpose(1, 2); };
  std::optional<at::Tensor> mask;
  if (bias.alibi()) mask = bias.get(context, q.options()).unsqueeze(0);  // [1, H, T, T]
  return at::scaled_dot_product_attention(view(q), view(k), view(v), mask, 0.0, !bias.alibi())
      .transpose(1, 2)
      .reshape({batch, context, heads * size});
}

}  // namespace

at::Tensor softmax_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                             CausalBias& bias) {
  // LibTorch's own is the faster forward pass; with its backward, it is not.
  const bool trains = at::GradMode::is_enabled() && (q.requires_grad() || k.requires_grad() || v.requires_grad());
  if (!trains || choose_path(q) == Path::reference) return library_attention(q, k, v, heads, bias);
  return SoftmaxFunction::apply(q, k, v, heads, &bias);
}

at::Tensor softmax_weights(const at::Tensor& q, const at::Tensor& k, int64_t heads, CausalBias& bias) {
  at::NoGradGuard no_grad;
  const int64_t batch = q.size(0), context = q.size(1);
  ScoreTerms terms;
  terms.scale = 1.0 / std::sqrt(static_cast<double>(q.size(2) / heads));
  const at::Tensor scores = at::bmm(split_heads(q, heads), split_heads(k, heads).transpose(1, 2));
  return softmax_scores(scores, terms, bias, nullptr).to(at::kFloat).view({batch, heads, context, context});
}

}  // namespace bitsweep
