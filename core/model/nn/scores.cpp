#include "nn/scores.h"

#include <limits>
#include <vector>

#include <ATen/ATen.h>

#include "kernels/noise.h"
#include "nn/kernel_for.h"
#include "nn/parallel.h"
#include "nn/pointer_attention.h"

namespace bitsweep::nn {
namespace {

// [rows, columns]: the same numbers as score_row() in cpu_kernels.cpp adds.
at::Tensor noise_of_key(uint64_t key, int64_t rows, int64_t columns) {
  at::Tensor noise = at::empty({rows, columns}, at::kFloat);
  const int64_t room = (columns + kernels::kNoiseBlock - 1) / kernels::kNoiseBlock * kernels::kNoiseBlock;
  parallel_rows(rows, columns * 4, [&](int64_t begin, int64_t end) {
    std::vector<float> row(static_cast<size_t>(room));
    for (int64_t r = begin; r < end; ++r) {
      kernels::gumbel_row(key, static_cast<uint64_t>(r), row.data(), columns);
      std::copy_n(row.data(), columns, noise.mutable_data_ptr<float>() + r * columns);
    }
  });
  return noise;
}

at::Tensor noise_like(const at::Tensor& scores, at::Generator generator) {
  if (scores.device().is_cpu()) {
    return noise_of_key(draw_noise_key(generator), scores.size(0) * scores.size(1), scores.size(2))
        .view(scores.sizes());
  }
  // −ln(Exp(1)); an exponential draw of 0 would be +∞.
  return at::empty(scores.sizes(), scores.options().dtype(at::kFloat))
      .exponential_(1.0, generator)
      .clamp_min_(1e-30)
      .log_()
      .neg_();
}

// z by LibTorch, in f32.
at::Tensor score_terms(const at::Tensor& scores, const ScoreTerms& terms, CausalBias& bias) {
  const int64_t heads = static_cast<int64_t>(bias.slopes().size()), queries = scores.size(1), keys = scores.size(2);
  const at::Tensor mask = bias.rows(queries, keys, at::TensorOptions().dtype(at::kFloat).device(scores.device()));
  at::Tensor z = scores.to(at::kFloat).mul_(terms.scale);
  z.view({-1, heads, queries, keys}).add_(mask);
  if (terms.generator) z.add_(noise_like(z, *terms.generator)).mul_(1.0 / terms.tau);
  return z;
}

// argmax gives the first of equals; the most recent is the first from the end.
at::Tensor last_argmax(const at::Tensor& z) { return (z.size(-1) - 1) - z.flip({-1}).argmax(-1); }

// K rounds of taking the best key out: exact about ties, and no sort of T numbers.
TopChoice choose_top_keys(const at::Tensor& z, int64_t keys) {
  at::Tensor rest = z.flip({-1});  // the most recent of equals is the first
  const int64_t context = z.size(-1);
  const at::Tensor query = at::arange(context - z.size(-2), context, z.options().dtype(at::kLong)).view({1, -1, 1});
  std::vector<at::Tensor> best, index;
  for (int64_t r = 0; r < keys; ++r) {
    const at::Tensor place = rest.argmax(-1, true);  // [B·H, T, 1]
    best.push_back(rest.gather(-1, place));
    index.push_back(at::where(query.ge(r), context - 1 - place, query));
    rest.scatter_(-1, place, -std::numeric_limits<double>::infinity());
  }
  return {at::cat(index, -1).to(at::kInt), at::cat(best, -1).softmax(-1)};
}

// The loops go over whole windows; a few queries at their end are composed.
template <kernels::Operation operation>
auto window_kernel(const at::Tensor& scores) {
  return scores.size(1) == scores.size(2) ? kernel_for<operation>(scores) : nullptr;
}

kernels::ScoreRule rule_of(const ScoreTerms& terms) {
  kernels::ScoreRule rule;
  rule.scale = static_cast<float>(terms.scale);
  rule.inverse_tau = static_cast<float>(1.0 / terms.tau);
  rule.noisy = terms.generator.has_value();
  if (rule.noisy) {
    at::Generator generator = *terms.generator;
    rule.key = draw_noise_key(generator);
  }
  return rule;
}

// f(head's scores, head's rule, first query's row) for every head of every sequence.
template <class F>
void for_each_score_head(at::Tensor& scores, const ScoreTerms& terms, const CausalBias& bias, const F& f) {
  const int64_t context = scores.size(1), heads = static_cast<int64_t>(bias.slopes().size());
  const kernels::ScoreRule shared = rule_of(terms);
  float* data = scores.mutable_data_ptr<float>();
  parallel_rows(scores.size(0), context * context, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      kernels::ScoreRule rule = shared;
      rule.slope = bias.slopes()[static_cast<size_t>(i % heads)];
      rule.first_row = static_cast<uint64_t>(i * context);
      f(data + i * context * context, rule, i * context);
    }
  });
}

}  // namespace

uint64_t draw_noise_key(at::Generator& generator) {
  return static_cast<uint64_t>(at::empty({}, at::kLong).random_(generator).item<int64_t>());
}

at::Tensor gumbel_noise(int64_t rows, int64_t columns, at::Generator& generator) {
  return noise_of_key(draw_noise_key(generator), rows, columns);
}

at::Tensor softmax_scores(at::Tensor scores, const ScoreTerms& terms, CausalBias& bias, at::Tensor* choice) {
  const auto kernel = window_kernel<kernels::Operation::softmax>(scores);
  if (kernel == nullptr) {
    const at::Tensor z = score_terms(scores, terms, bias);
    if (choice != nullptr) *choice = last_argmax(z);
    return z.softmax(-1).to(scores.scalar_type());
  }
  const int64_t context = scores.size(1);
  at::Tensor keys;
  if (choice != nullptr) keys = at::empty({scores.size(0), context}, at::kInt);
  int32_t* chosen = choice != nullptr ? keys.mutable_data_ptr<int32_t>() : nullptr;
  for_each_score_head(scores, terms, bias, [&](float* head, const kernels::ScoreRule& rule, int64_t row) {
    kernel(head, context, rule, chosen != nullptr ? chosen + row : nullptr);
  });
  if (choice != nullptr) *choice = keys.to(at::kLong);
  return scores;
}

at::Tensor choose_keys(at::Tensor scores, const ScoreTerms& terms, CausalBias& bias) {
  const auto kernel = window_kernel<kernels::Operation::choice>(scores);
  if (kernel == nullptr) return last_argmax(score_terms(scores, terms, bias));
  const int64_t context = scores.size(1);
  at::Tensor keys = at::empty({scores.size(0), context}, at::kInt);
  int32_t* chosen = keys.mutable_data_ptr<int32_t>();
  for_each_score_head(scores, terms, bias, [&](float* head, const kernels::ScoreRule& rule, int64_t row) {
    kernel(head, context, rule, chosen + row);
  });
  return keys.to(at::kLong);
}

TopChoice top_keys(at::Tensor scores, const ScoreTerms& terms, CausalBias& bias, int64_t keys) {
  const auto kernel = window_kernel<kernels::Operation::top_keys>(scores);
  if (kernel == nullptr) return choose_top_keys(score_terms(scores, terms, bias), keys);
  const int64_t context = scores.size(1);
  TopChoice choice{at::empty({scores.size(0), context, keys}, at::kInt),
                   at::empty({scores.size(0), context, keys}, scores.options())};
  int32_t* index = choice.index.mutable_data_ptr<int32_t>();
  float* probabilities = choice.probabilities.mutable_data_ptr<float>();
  for_each_score_head(scores, terms, bias, [&](float* head, const kernels::ScoreRule& rule, int64_t row) {
    kernel(head, context, rule, keys, index + row * keys, probabilities + row * keys);
  });
  return choice;
}

at::Tensor softmax_scores_backward(const at::Tensor& probabilities, at::Tensor gradient, const ScoreTerms& terms) {
  const double factor = terms.scale / (terms.generator ? terms.tau : 1.0);
  const int64_t context = gradient.size(1);
  const auto kernel = kernel_for<kernels::Operation::softmax_backward>(gradient);
  if (kernel == nullptr) {
    const at::Tensor p = probabilities.to(at::kFloat), g = gradient.to(at::kFloat);
    return (p * (g - (p * g).sum(-1, true))).mul_(factor).to(gradient.scalar_type());
  }
  const float* p = probabilities.const_data_ptr<float>();
  float* g = gradient.mutable_data_ptr<float>();
  parallel_rows(gradient.size(0), context * context, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at = i * context * context;
      kernel(p + at, g + at, context, static_cast<float>(factor));
    }
  });
  return gradient;
}

}  // namespace bitsweep::nn
