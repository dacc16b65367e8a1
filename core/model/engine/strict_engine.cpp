#include "engine/strict_engine.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "kernels/strict_ends.h"

namespace bitsweep::engine {
namespace {

using kernels::kWordBits;
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

}  // namespace

std::string StrictEngine::refusal(const StrictPlan& plan) {
  for (const auto& [name, depth] : {std::pair{"d_model", plan.d_model}, {"d_ff", plan.d_ff}})
    if (depth > kernels::kMostBitDepth)
      return fmt::format("{} is {}, and its counts go up to {}", name, depth, kernels::kMostBitDepth);
  return "";
}

StrictEngine::StrictEngine(const StrictPlan& plan, const Workers& workers, Meter* meter)
    : plan_(plan), workers_(workers), meter_(meter), codebook_(plan.vocab, plan.d_model) {
  for (int64_t layer = 0; layer < plan.layers; ++layer) weights_.emplace_back(plan_);
  for (int64_t n = 0; n <= plan.keys; ++n)
    for (int64_t r = 0; r < plan.keys; ++r)
      mean_weights_.push_back(r < n ? static_cast<float>(1.0 / static_cast<double>(n)) : 0.0f);
}

void StrictEngine::round_gradients(std::optional<kernels::QuantizedKind> kind) {
  if (plan_.rounding == kind) return;
  plan_.rounding = kind;
  if (gradients_.residual.count() == 0) return;
  gradients_.rounded = {};
  if (kind) gradients_.rounded.reserve(plan_, reserved_rows_);
}

int64_t StrictEngine::bytes() const {
  int64_t sum = rows_.bytes() + gradients_.bytes() + BitWeight::bytes(plan_.vocab, plan_.d_model);
  for (uint8_t i = 0; i < kLinears; ++i) {
    const auto place = static_cast<LinearPlace>(i);
    sum += plan_.layers * BitWeight::bytes(plan_.outputs(place), plan_.inputs(place));
  }
  return sum;
}

void StrictEngine::pack(const StrictTensors& tensors) {
  const Metered metered(meter_, "other", false, Work::integers);
  // A linear a part: many are small.
  const int64_t linears = plan_.layers * kLinears;
  in_ranges(workers_, linears, 1, plan_.layers * plan_.layer_weights(), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) pack_linear(tensors, static_cast<size_t>(i / kLinears), i % kLinears);
  });
  codebook_.pack(tensors.codebook.values, workers_);
}

void StrictEngine::pack_linear(const StrictTensors& tensors, size_t layer, int64_t i) {
  const auto place = static_cast<LinearPlace>(i);
  const LinearTensors& linear = tensors.layers[layer][place];
  weights_[layer].weight[place].pack(linear.weight.values, workers_);
  kernels::find_end_limits(plan_.inputs(place), input_scale(plan_.inputs(place)), linear.threshold.values,
                           plan_.outputs(place), weights_[layer].limits[place]);
}

// Rows of another kind or number than there are come anew; of fewer, the first are taken.
void StrictEngine::reserve(const StrictPass& pass, bool trains) {
  const bool trained = gradients_.residual.count() > 0;
  if (pass.rows() <= reserved_rows_ && (!trains || trained)) return;
  const bool train_rows = trains || trained;
  rows_ = {};
  gradients_ = {};
  rows_ = StrictRows(plan_, pass.rows(), train_rows);
  if (train_rows) gradients_ = StrictGradientRows(plan_, pass.rows());
  reserved_rows_ = pass.rows();
}

void StrictEngine::linear(const StrictPass& pass, size_t layer, LinearPlace place, const SignBits& x, SignBits& sign) {
  const int64_t products = pass.rows() * plan_.inputs(place) * plan_.outputs(place);
  const Metered metered(meter_, block_of(place), false, Work::integers, products);
  SignBits& inside = rows_of(layer).inside[place];
  in_ranges(workers_, pass.rows(), kWordBits, products / kSignProducts, [&](int64_t first, int64_t last) {
    kernels::strict_linear_rows(x, weights_[layer].weight[place].rows(), weights_[layer].limits[place], sign,
                                inside.rows() > 0 ? &inside : nullptr, first, last);
  });
}

kernels::ScoreRule StrictEngine::rule_of(const StrictPass& pass, size_t layer, int64_t sequence, int64_t head) const {
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

void StrictEngine::for_each_head(const StrictPass& pass, size_t layer, OfHead f) {
  const StrictLayerRows& rows = rows_of(layer);
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

void StrictEngine::attend(const StrictPass& pass, size_t layer) {
  StrictLayerRows& rows = rows_of(layer);
  const int64_t keys = std::max<int64_t>(1, plan_.keys), of_head = pass.context * keys;
  {
    const Metered metered(meter_, "attention", false, Work::floats, pass.rows() * pass.context * plan_.d_model);
    for_each_head(pass, layer, [&](int64_t sequence, int64_t head, const kernels::BitHead& bits) {
      const kernels::ScoreRule rule = rule_of(pass, layer, sequence, head);
      const int64_t at = (sequence * plan_.heads + head) * of_head;
      if (plan_.keys == 0) {
        kernels::choose_keys(bits, rule, rows.choice.at(at), rows.top.at(at));
      } else {
        kernels::choose_top_keys(bits, rule, keys, rows.choice.at(at), rows.probabilities.at(at));
      }
    });
  }
  const Metered metered(meter_, "attention", false, Work::integers, plan_.keys > 0 ? voted_products(pass) : 0);
  const int64_t size = plan_.head_size();
  constexpr int64_t kVoteWork = 8;  // of a key's vote in a head
  in_ranges(workers_, pass.rows(), 1, pass.rows() * plan_.heads * keys * kVoteWork, [&](int64_t begin, int64_t end) {
    for (int64_t w = 0; w < rows.attended.words(); ++w)
      std::fill(rows.attended.word(w) + begin, rows.attended.word(w) + end, 0u);
    for (int64_t sequence = begin / pass.context; sequence * pass.context < end; ++sequence) {
      const int64_t first = sequence * pass.context;
      const int64_t from = std::max<int64_t>(begin - first, 0), to = std::min(end - first, pass.context);
      for (int64_t head = 0; head < plan_.heads; ++head)
        kernels::vote_columns(rows.value, rows.choice.at((sequence * plan_.heads + head) * of_head), keys, first, from,
                              to, head * size, size, rows.attended);
    }
  });
}

int64_t StrictEngine::voted_products(const StrictPass& pass) const {
  const int64_t keys = std::min(plan_.keys, pass.context);
  return pass.sequences * plan_.d_model * (pass.context * keys - keys * (keys - 1) / 2);
}

void StrictEngine::forward(const StrictTensors& tensors, const StrictPass& pass) {
  {
    const Metered metered(meter_, "embedding", false, Work::integers);
    gather_rows(tensors.embedding.values, pass.tokens, pass.rows(), rows_of(0).x, workers_);
  }
  for (size_t layer = 0; layer < weights_.size(); ++layer) {
    StrictLayerRows& rows = rows_of(layer);
    linear(pass, layer, kQueryLinear, rows.x, rows.query);
    linear(pass, layer, kKeyLinear, rows.x, rows.key);
    linear(pass, layer, kValueLinear, rows.x, rows.value);
    attend(pass, layer);
    linear(pass, layer, kOutLinear, rows.attended, rows_.out);
    linear(pass, layer, kGateLinear, rows.x, rows.gate);
    linear(pass, layer, kUpLinear, rows.x, rows.up);
    in_ranges(workers_, pass.rows(), kWordBits, word_work(rows.product), [&](int64_t first, int64_t last) {
      kernels::multiply_signs(rows.gate, rows.up, rows.product, first, last);
    });
    linear(pass, layer, kDownLinear, rows.product, rows_.down);
    const Metered metered(meter_, "other", false, Work::integers);
    SignBits& next = layer + 1 < weights_.size() ? rows_of(layer + 1).x : rows_.last;
    in_ranges(workers_, pass.rows(), kWordBits, word_work(next), [&](int64_t first, int64_t last) {
      kernels::majority_signs(rows.x, rows_.out, rows_.down, next, first, last);
    });
  }
}

void StrictEngine::for_each_logit_part(const StrictPass& pass, OfPart f) {
  for (int64_t first = 0; first < pass.rows(); first += rows_.logit_rows) {
    const int64_t count = std::min(rows_.logit_rows, pass.rows() - first);
    {
      const int64_t products = count * plan_.vocab * plan_.d_model;
      const Metered metered(meter_, "head", false, Work::integers, products);
      in_ranges(workers_, count, kWordBits, count * plan_.vocab + products / kSignProducts,
                [&](int64_t begin, int64_t end) {
                  kernels::sign_product_rows(rows_.last, codebook_.rows(), rows_.logits.at(begin * plan_.vocab),
                                             first + begin, first + end);
                });
    }
    f(first, count);
  }
}

void StrictEngine::score(const StrictTensors& tensors, const StrictPass& pass, float* nats, int64_t* likeliest) {
  reserve(pass, /*trains=*/false);
  forward(tensors, pass);
  const kernels::LogitRow row{.bias = tensors.bias.values, .scale = *tensors.logit_scale.values, .vocab = plan_.vocab};
  for_each_logit_part(pass, [&](int64_t first, int64_t count) {
    const Metered metered(meter_, "loss", false, Work::floats);
    in_ranges(workers_, count, 1, count * plan_.vocab * kLossWork, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const int64_t target = pass.targets[first + r];
        const double loss = kernels::nats_of_row(row, rows_.logits.at(r * plan_.vocab), std::max<int64_t>(target, 0),
                                                 likeliest[first + r]);
        nats[first + r] = target < 0 ? 0.0f : static_cast<float>(loss);
      }
    });
  });
}

double StrictEngine::train(const StrictTensors& tensors, const StrictPass& pass, float weight) {
  reserve(pass, /*trains=*/true);
  forward(tensors, pass);
  const double nats = head_forward_backward(tensors, pass, weight);
  layers_backward(tensors, pass);
  return nats;
}

}  // namespace bitsweep::engine
