#include "nn/top_keys.h"

#include <cmath>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "nn/heads.h"
#include "nn/kernel_for.h"
#include "nn/parallel.h"
#include "nn/products.h"
#include "nn/scores.h"

namespace bitsweep::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Weights of n = 0 … K chosen keys, [K + 1, K].
at::Tensor rank_weights(int64_t keys, double rho) {
  return at::tensor(kernels::rank_weights(keys, rho), at::kFloat).view({keys + 1, keys});
}

struct Weights {
  at::Tensor forward, backward;  // [K + 1, K]
};

// A vote adds whole signs, so that ties are exactly 0; its gradient is that of their mean.
Weights weights_of(const TopKeys& rule) {
  if (!rule.vote) {
    const at::Tensor table = rank_weights(rule.keys, rule.rho);
    return {table, table};
  }
  return {at::ones({rule.keys + 1, rule.keys}, at::kFloat), rank_weights(rule.keys, 1.0)};
}

// [T, K]: the row of the table of each of the last T queries of a context; 0 where it has no key.
at::Tensor weights_by_query(const at::Tensor& table, int64_t queries, int64_t context, const at::Tensor& like) {
  const int64_t keys = table.size(1);
  const at::Tensor alive = at::arange(context - queries + 1, context + 1, at::kLong).clamp_max_(keys);
  const at::Tensor has_key = at::arange(keys, at::kLong).unsqueeze(0).lt(alive.unsqueeze(1));
  return (table.index_select(0, alive) * has_key).to(like.device());
}

// [B·H, T, d_h] at index [B·H, T, K] -> [B·H, T, K, d_h]
at::Tensor rows_at(const at::Tensor& rows, const at::Tensor& index) {
  const int64_t size = rows.size(2);
  const at::Tensor flat = index.to(at::kLong).flatten(1).unsqueeze(2).expand({-1, -1, size});
  return rows.gather(1, flat).view({rows.size(0), index.size(1), index.size(2), size});
}

// Adds x [B·H, T, K, d_h] up at index [B·H, T, K] -> [B·H, T, d_h]
at::Tensor added_at(const at::Tensor& x, const at::Tensor& index) {
  const int64_t size = x.size(3);
  const at::Tensor flat = index.to(at::kLong).flatten(1).unsqueeze(2).expand({-1, -1, size});
  return at::zeros({x.size(0), x.size(1), size}, x.options()).scatter_add_(1, flat, x.flatten(1, 2));
}

kernels::TopKeysHead head_of(const at::Tensor& values, const at::Tensor& index, const at::Tensor& table, int64_t i) {
  const int64_t context = index.size(1), keys = index.size(2);
  return {.context = context,
          .size = values.size(2),
          .keys = keys,
          .index = index.const_data_ptr<int32_t>() + i * context * keys,
          .weights = table.const_data_ptr<float>()};
}

// f(head) over all heads, cut for the threads.
template <class F>
void for_each_head(const at::Tensor& values, const at::Tensor& index, const F& f) {
  const int64_t work = index.size(1) * index.size(2) * values.size(2);
  parallel_rows(values.size(0), work, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(i);
  });
}

// Of one product of a query's keys with rows of the head's size, over the queries of `index`: a query has no more keys
// than itself and those before it.
int64_t multiply_adds(const at::Tensor& values, const at::Tensor& index) {
  const auto keys_up_to = [&](int64_t context) { return kernels::chosen_keys(context, index.size(2)); };
  const int64_t context = values.size(1);
  return values.size(0) * values.size(2) * (keys_up_to(context) - keys_up_to(context - index.size(1)));
}

at::Tensor mix_values(const at::Tensor& values, const at::Tensor& index, const at::Tensor& table, bool vote) {
  say_products(multiply_adds(values, index));
  const auto kernel = kernel_for<kernels::Operation::mix_values>(values);
  if (kernel == nullptr || index.size(1) != values.size(1)) {
    const at::Tensor weights = weights_by_query(table, index.size(1), values.size(1), values);  // [T, K]
    const at::Tensor mixed = (rows_at(values, index) * weights.unsqueeze(2)).sum(2);
    return (vote ? mixed.ge(0).to(at::kFloat).mul_(2).sub_(1) : mixed).to(values.scalar_type());
  }
  at::Tensor out = at::empty_like(values);
  for_each_head(values, index, [&](int64_t i) {
    const int64_t at = i * values.size(1) * values.size(2);
    kernel(head_of(values, index, table, i), values.const_data_ptr<float>() + at, vote,
           out.mutable_data_ptr<float>() + at);
  });
  return out;
}

struct HeadGradients {
  at::Tensor dq, dk, dv;  // [B·H, T, d_h]
};

HeadGradients mix_backward(const variable_list& saved, const at::Tensor& g, double factor) {
  const at::Tensor &queries = saved[0], &keys = saved[1], &values = saved[2], &index = saved[3], &p = saved[4],
                   &table = saved[5];
  say_products(4 * multiply_adds(values, index));  // along the values; into queries, keys and values
  const auto kernel = kernel_for<kernels::Operation::mix_values_backward>(values);
  if (kernel == nullptr) {
    const at::Tensor weights = weights_by_query(table, index.size(1), values.size(1), values);  // [T, K]
    const at::Tensor along = (g.unsqueeze(2).to(at::kFloat) * rows_at(values, index)).sum(3);  // [B·H, T, K]
    const at::Tensor dz = (p * (along - (p * along).sum(2, true)) * factor).unsqueeze(3);
    const at::ScalarType type = values.scalar_type();
    return {(dz * rows_at(keys, index)).sum(2).to(type),
            added_at(dz * queries.unsqueeze(2), index).to(type),
            added_at(weights.unsqueeze(2) * g.unsqueeze(2).to(at::kFloat), index).to(type)};
  }
  HeadGradients out{at::empty_like(queries), at::zeros_like(keys), at::zeros_like(values)};
  for_each_head(values, index, [&](int64_t i) {
    const int64_t at = i * values.size(1) * values.size(2);
    const kernels::TopKeysTensors tensors{
        queries.const_data_ptr<float>() + at,  keys.const_data_ptr<float>() + at,
        values.const_data_ptr<float>() + at,   p.const_data_ptr<float>() + i * index.size(1) * index.size(2),
        g.const_data_ptr<float>() + at,        out.dq.mutable_data_ptr<float>() + at,
        out.dk.mutable_data_ptr<float>() + at, out.dv.mutable_data_ptr<float>() + at};
    kernel(head_of(values, index, table, i), tensors, static_cast<float>(factor));
  });
  return out;
}

// What the autograd function needs beside tensors; outlives it by living in the call.
struct TopKeysCall {
  int64_t heads;
  CausalBias* bias;
  TopKeys rule;
  ScoreTerms terms;
};

struct TopKeysFunction : Function<TopKeysFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            const TopKeysCall* call) {
    const at::Tensor queries = split_heads(q, call->heads), keys = split_heads(k, call->heads),
                     values = split_heads(v, call->heads);  // [B·H, T, d_h]
    const TopChoice choice =
        top_keys(at::bmm(queries, keys.transpose(1, 2)), call->terms, *call->bias, call->rule.keys);
    const Weights weights = weights_of(call->rule);
    context->save_for_backward({queries, keys, values, choice.index, choice.probabilities, weights.backward});
    context->saved_data["heads"] = call->heads;
    context->saved_data["factor"] = call->terms.scale / (call->terms.generator ? call->terms.tau : 1.0);
    return merge_heads(mix_values(values, choice.index, weights.forward, call->rule.vote), call->heads);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const int64_t heads = context->saved_data["heads"].toInt();
    const at::Tensor g = split_heads(gradients[0].contiguous(), heads);
    const HeadGradients d =
        mix_backward(context->get_saved_variables(), g, context->saved_data["factor"].toDouble());
    return {merge_heads(d.dq, heads), merge_heads(d.dk, heads), merge_heads(d.dv, heads), at::Tensor()};
  }
};

}  // namespace

at::Tensor top_keys_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                              CausalBias& bias, const TopKeys& rule, const std::optional<PointerNoise>& noise) {
  TopKeysCall call{heads, &bias, rule, {}};
  call.terms.scale = 1.0 / std::sqrt(static_cast<double>(q.size(2) / heads));
  if (noise) {
    call.terms.tau = noise->tau;
    call.terms.generator = noise->generator;
  }
  return TopKeysFunction::apply(q, k, v, static_cast<const TopKeysCall*>(&call));
}

at::Tensor top_keys_weights(const at::Tensor& q, const at::Tensor& k, int64_t heads, CausalBias& bias,
                            const TopKeys& rule) {
  at::NoGradGuard no_grad;
  const int64_t batch = q.size(0), context = q.size(1);
  ScoreTerms terms;
  terms.scale = 1.0 / std::sqrt(static_cast<double>(q.size(2) / heads));
  const at::Tensor scores = at::bmm(split_heads(q, heads), split_heads(k, heads).transpose(1, 2));
  const at::Tensor index = top_keys(scores, terms, bias, rule.keys).index.to(at::kLong);  // [B·H, T, K]
  const at::Tensor weights = weights_by_query(weights_of(rule).backward, context, context, q).expand_as(index);
  return at::zeros({batch * heads, context, context}, q.options().dtype(at::kFloat))
      .scatter_add_(2, index, weights)
      .view({batch, heads, context, context});
}

}  // namespace bitsweep::nn
