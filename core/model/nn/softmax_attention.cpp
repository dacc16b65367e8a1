#include "nn/softmax_attention.h"

#include <cmath>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "nn/heads.h"
#include "nn/kernel_for.h"
#include "nn/scores.h"

namespace bitsweep::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

ScoreTerms terms_of(const at::Tensor& queries) {
  ScoreTerms terms;
  terms.scale = 1.0 / std::sqrt(static_cast<double>(queries.size(2)));
  return terms;
}

// f(first, count) over the first dimension of [B·H, …], a sequence at a time: its [H, T, T] then stay in the cache from
// the scores to the last product. Threads share its heads, in LibTorch's products and in the loops between.
template <class F>
void for_each_sequence(int64_t rows, int64_t heads, const F& f) {
  for (int64_t first = 0; first < rows; first += heads) f(first, heads);
}

// Keeps the probabilities, [B·H, T, T]: at the contexts a CPU trains with, that is faster than making them again.
struct SoftmaxFunction : Function<SoftmaxFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            int64_t heads, CausalBias* bias) {
    const at::Tensor queries = split_heads(q, heads), keys = split_heads(k, heads),
                     values = split_heads(v, heads);  // [B·H, T, d_h]
    const int64_t rows = queries.size(0), length = queries.size(1);
    const at::Tensor p = at::empty({rows, length, length}, queries.options()), y = at::empty_like(values);
    for_each_sequence(rows, heads, [&](int64_t first, int64_t count) {
      const auto part = [&](const at::Tensor& x) { return x.narrow(0, first, count); };
      at::Tensor scores = part(p), out = part(y);
      at::bmm_out(scores, part(queries), part(keys).transpose(1, 2));
      softmax_scores(scores, terms_of(queries), *bias, nullptr);
      at::bmm_out(out, scores, part(values));
    });
    context->save_for_backward({queries, keys, values, p});
    context->saved_data["heads"] = heads;
    return merge_heads(y, heads);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &queries = saved[0], &keys = saved[1], &values = saved[2], &p = saved[3];
    const int64_t heads = context->saved_data["heads"].toInt();
    const at::Tensor g = split_heads(gradients[0].contiguous(), heads);
    const at::Tensor dq = at::empty_like(queries), dk = at::empty_like(keys), dv = at::empty_like(values);
    for_each_sequence(p.size(0), heads, [&](int64_t first, int64_t count) {
      const auto part = [&](const at::Tensor& x) { return x.narrow(0, first, count); };
      at::Tensor into_q = part(dq), into_k = part(dk), into_v = part(dv);
      at::bmm_out(into_v, part(p).transpose(1, 2), part(g));
      const at::Tensor dz =
          softmax_scores_backward(part(p), at::bmm(part(g), part(values).transpose(1, 2)), terms_of(queries));
      at::bmm_out(into_q, dz, part(keys));
      at::bmm_out(into_k, dz.transpose(1, 2), part(queries));
    });
    return {merge_heads(dq, heads), merge_heads(dk, heads), merge_heads(dv, heads), at::Tensor(), at::Tensor()};
  }
};

at::Tensor library_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                             CausalBias& bias) {
  const int64_t batch = q.size(0), queries = q.size(1), context = k.size(1), size = q.size(2) / heads;
  const auto view = [&](const at::Tensor& x) { return x.view({batch, x.size(1), heads, size}).transpose(1, 2); };
  const bool masked = bias.alibi() || queries != context;  // else LibTorch's own causal mask
  std::optional<at::Tensor> mask;
  if (masked) mask = bias.rows(queries, context, q.options()).unsqueeze(0);  // [1, H or 1, T, S]
  return at::scaled_dot_product_attention(view(q), view(k), view(v), mask, 0.0, !masked)
      .transpose(1, 2)
      .reshape({batch, queries, heads * size});
}

}  // namespace

at::Tensor softmax_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                             CausalBias& bias) {
  // LibTorch's own is the faster forward pass; with its backward, it is not.
  const bool trains = at::GradMode::is_enabled() && (q.requires_grad() || k.requires_grad() || v.requires_grad());
  const bool fused = kernel_for<kernels::Operation::softmax>(q) != nullptr &&
                     kernel_for<kernels::Operation::softmax_backward>(q) != nullptr;
  if (!trains || !fused) return library_attention(q, k, v, heads, bias);
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

}  // namespace bitsweep::nn
