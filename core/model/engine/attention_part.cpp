#include "engine/attention_part.h"

#include <algorithm>
#include <optional>

#include "engine/workers.h"

namespace bitsweep::engine {
namespace {

using kernels::SignBits;

// A head's bits, of a thread.
struct HeadBits {
  SignBits query, key, value;
  HeadBits(int64_t context, int64_t size) : query(context, size), key(context, size), value(context, size) {}
  bool fits(int64_t context, int64_t size) const { return query.rows() == context && query.columns() == size; }
};
HeadBits& head_of_thread(int64_t context, int64_t size) {
  thread_local std::optional<HeadBits> bits;
  if (!bits || !bits->fits(context, size)) bits.emplace(context, size);
  return *bits;
}

// One head as floats, [context, size] each.
struct HeadFloats {
  kernels::Buffer<float> queries, keys, values, output, dq, dk, dv;
};
HeadFloats& floats_of_thread() {
  thread_local HeadFloats floats;
  return floats;
}

const float* unpacked(const SignBits& bits, const kernels::BitHead& head, kernels::Buffer<float>& out) {
  kernels::unpack_signs_to(bits, head.context, out.at_least(head.context * head.size));
  return out.data();
}

// Rows of `size` numbers, a step apart, to a matrix of their own and back.
void gather(const float* from, int64_t step, const kernels::BitHead& head, float* to) {
  for (int64_t t = 0; t < head.context; ++t) std::copy_n(from + t * step, head.size, to + t * head.size);
}
void spread(const float* from, const kernels::BitHead& head, float* to, int64_t step) {
  for (int64_t t = 0; t < head.context; ++t) std::copy_n(from + t * head.size, head.size, to + t * step);
}

}  // namespace

AttentionRows::AttentionRows(const EnginePlan& plan, int64_t rows)
    : query(rows, plan.d_model),
      key(rows, plan.d_model),
      value(rows, plan.d_model),
      choice(rows * plan.heads * std::max<int64_t>(1, plan.keys)),
      top(plan.keys == 0 ? rows * plan.heads : 0),
      probabilities(rows * plan.heads * plan.keys) {}

int64_t AttentionRows::bytes() const {
  return bytes_of_signs(query, key, value) + choice.bytes() + top.bytes() + probabilities.bytes();
}

AttentionPart::AttentionPart(const EnginePlan& plan, const Workers& workers, Meter* meter)
    : plan_(plan), workers_(workers), meter_(meter) {}

// A vote's gradient is that of the mean.
void AttentionPart::begin(const StepPass& pass) {
  const double rho = plan_.mixes ? pass.rho : 1.0;
  if (plan_.keys == 0 || rho == rho_) return;
  weights_ = kernels::rank_weights(plan_.keys, rho);
  rho_ = rho;
}

kernels::ScoreRule AttentionPart::rule_of(const StepPass& pass, size_t layer, int64_t sequence, int64_t head) const {
  kernels::ScoreRule rule;
  rule.scale = input_scale(plan_.head_size());
  rule.slope = plan_.slopes[static_cast<size_t>(head)];
  rule.noisy = !pass.noise_keys.empty();
  if (!rule.noisy) return rule;
  rule.inverse_tau = static_cast<float>(1.0 / pass.tau);
  rule.key = pass.noise_keys[layer];
  rule.first_row = static_cast<uint64_t>((sequence * plan_.heads + head) * pass.context);
  return rule;
}

void AttentionPart::for_each_head(const StepPass& pass, const AttentionRows& rows, OfHead f) const {
  const int64_t size = plan_.head_size();
  const int64_t scores = pass.rows() * pass.context * plan_.heads;
  in_ranges(workers_, pass.sequences * plan_.heads, 1, scores, [&](int64_t begin, int64_t end) {
    HeadBits& bits = head_of_thread(pass.context, size);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t sequence = i / plan_.heads, head = i % plan_.heads, first = sequence * pass.context;
      kernels::take_columns(rows.query, first, pass.context, head * size, size, bits.query);
      kernels::take_columns(rows.key, first, pass.context, head * size, size, bits.key);
      kernels::take_columns(rows.value, first, pass.context, head * size, size, bits.value);
      f(sequence, head,
        kernels::BitHead{
            .queries = &bits.query, .keys = &bits.key, .values = &bits.value, .context = pass.context, .size = size});
    }
  });
}

void AttentionPart::choose(const StepPass& pass, size_t layer, AttentionRows& rows) {
  const int64_t keys = std::max<int64_t>(1, plan_.keys);
  const Metered metered(meter_, "attention", false, Work::floats, pass.rows() * pass.context * plan_.d_model);
  for_each_head(pass, rows, [&](int64_t sequence, int64_t head, const kernels::BitHead& bits) {
    const kernels::ScoreRule rule = rule_of(pass, layer, sequence, head);
    const int64_t at = (sequence * plan_.heads + head) * pass.context * keys;
    if (plan_.keys == 0) {
      kernels::choose_keys(bits, rule, rows.choice.at(at), rows.top.at(at));
    } else {
      kernels::choose_top_keys(bits, rule, keys, rows.choice.at(at), rows.probabilities.at(at));
    }
  });
}

void AttentionPart::vote(const StepPass& pass, const AttentionRows& rows, SignBits& attended) const {
  const Metered metered(meter_, "attention", false, Work::integers, plan_.keys > 0 ? shared_products(pass) : 0);
  const int64_t size = plan_.head_size(), keys = std::max<int64_t>(1, plan_.keys), of_head = pass.context * keys;
  constexpr int64_t kVoteWork = 8;  // of a key's vote in a head
  in_ranges(workers_, pass.rows(), 1, pass.rows() * plan_.heads * keys * kVoteWork, [&](int64_t begin, int64_t end) {
    for (int64_t w = 0; w < attended.words(); ++w) std::fill(attended.word(w) + begin, attended.word(w) + end, 0u);
    for (int64_t sequence = begin / pass.context; sequence * pass.context < end; ++sequence) {
      const int64_t first = sequence * pass.context;
      const int64_t from = std::max<int64_t>(begin - first, 0), to = std::min(end - first, pass.context);
      for (int64_t head = 0; head < plan_.heads; ++head)
        kernels::vote_columns(rows.value, rows.choice.at((sequence * plan_.heads + head) * of_head), keys, first, from,
                              to, head * size, size, attended);
    }
  });
}

void AttentionPart::mix(const StepPass& pass, bool backward, const AttentionRows& rows, float* attended) const {
  // Made again on the way back, it is no further product of the model's.
  const Metered metered(meter_, "attention", backward, Work::floats, backward ? 0 : shared_products(pass));
  const int64_t d = plan_.d_model;
  for_each_head(pass, rows, [&](int64_t sequence, int64_t head, const kernels::BitHead& bits) {
    HeadFloats& floats = floats_of_thread();
    const float* values = unpacked(*bits.values, bits, floats.values);
    float* output = floats.output.at_least(bits.context * bits.size);
    kernels::mix_values_head({.context = bits.context,
                              .size = bits.size,
                              .keys = plan_.keys,
                              .index = rows.choice.at((sequence * plan_.heads + head) * pass.context * plan_.keys),
                              .weights = weights_.data()},
                             values, /*sign=*/false, output);
    spread(output, bits, attended + sequence * pass.context * d + head * bits.size, d);
  });
}

int64_t AttentionPart::shared_products(const StepPass& pass) const {
  return pass.sequences * plan_.d_model * kernels::chosen_keys(pass.context, plan_.keys);
}

void AttentionPart::backward(const StepPass& pass, size_t layer, const AttentionRows& rows,
                             const AttentionGradients& gradients) const {
  const int64_t products = plan_.keys > 0 ? 4 * shared_products(pass) : 3 * pass.rows() * pass.context * plan_.d_model;
  const Metered metered(meter_, "attention", true, Work::products, products);
  const int64_t d = plan_.d_model, of_head = pass.context * std::max<int64_t>(1, plan_.keys);
  for_each_head(pass, rows, [&](int64_t sequence, int64_t head, const kernels::BitHead& bits) {
    const kernels::ScoreRule rule = rule_of(pass, layer, sequence, head);
    const int64_t at = (sequence * plan_.heads + head) * of_head,
                  place = sequence * pass.context * d + head * bits.size;
    const kernels::HeadGradients to{.output = gradients.output + place,
                                    .queries = gradients.query + place,
                                    .keys = gradients.key + place,
                                    .values = gradients.value + place,
                                    .step = d};
    const float factor = rule.scale * rule.inverse_tau;
    if (plan_.keys == 0) {
      kernels::choose_keys_backward(bits, rule, rows.choice.at(at), rows.top.at(at), factor, to);
    } else {
      head_backward(bits, rows.choice.at(at), rows.probabilities.at(at), factor, to);
    }
  });
}

// On floats: few keys a query take part.
void AttentionPart::head_backward(const kernels::BitHead& head, const int32_t* index, const float* probabilities,
                                  float factor, const kernels::HeadGradients& to) const {
  HeadFloats& floats = floats_of_thread();
  const int64_t count = head.context * head.size;
  float* gradient = floats.output.at_least(count);
  gather(to.output, to.step, head, gradient);
  const kernels::TopKeysTensors tensors{.queries = unpacked(*head.queries, head, floats.queries),
                                        .keys = unpacked(*head.keys, head, floats.keys),
                                        .values = unpacked(*head.values, head, floats.values),
                                        .probabilities = probabilities,
                                        .gradient = gradient,
                                        .dq = floats.dq.at_least(count),
                                        .dk = floats.dk.at_least(count),
                                        .dv = floats.dv.at_least(count)};
  std::fill_n(tensors.dk, count, 0.0f);
  std::fill_n(tensors.dv, count, 0.0f);
  kernels::mix_values_backward_head(
      {.context = head.context, .size = head.size, .keys = plan_.keys, .index = index, .weights = weights_.data()},
      tensors, factor);
  spread(tensors.dq, head, to.queries, to.step);
  spread(tensors.dk, head, to.keys, to.step);
  spread(tensors.dv, head, to.values, to.step);
}

}  // namespace bitsweep::engine
