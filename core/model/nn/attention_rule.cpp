#include "nn/attention_rule.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "nn/block_scope.h"
#include "nn/softmax_attention.h"
#include "nn/top_keys.h"

namespace bitsweep::nn {
namespace {

constexpr double kLeastTau = 1e-3, kMostTau = 100;
constexpr int64_t kLeastKeys = 2, kMostKeys = 64;  // one key alone gives q and k no gradient

const std::vector<std::pair<AttentionKind, std::string>> kKindNames = {{AttentionKind::gumbel, "gumbel"},
                                                                       {AttentionKind::rwsp, "rwsp"},
                                                                       {AttentionKind::topk, "topk"},
                                                                       {AttentionKind::softmax, "softmax"}};

std::string kind_name(AttentionKind kind) {
  return std::find_if(kKindNames.begin(), kKindNames.end(), [&](const auto& entry) { return entry.first == kind; })
      ->second;
}

AttentionKind read_kind(OptionReader& reader, const std::vector<AttentionKind>& kinds) {
  std::vector<std::string> names;
  for (const AttentionKind kind : kinds) names.push_back(kind_name(kind));
  const std::string chosen = reader.choice("attention", names.front(), names);
  return kinds[static_cast<size_t>(std::find(names.begin(), names.end(), chosen) - names.begin())];
}

int64_t read_keys(OptionReader& reader, const char* name, int64_t otherwise, int64_t context, bool chosen) {
  const int64_t keys = reader.integer(name, otherwise, kLeastKeys, kMostKeys);
  if (!chosen) {
    reader.leave_out(name);
  } else if (keys > context) {
    reader.add_problem(
        fmt::format("{}: expected an integer from {} to the context ({}), got {}", name, kLeastKeys, context, keys));
  }
  return keys;
}

void read_rho(OptionReader& reader, AttentionRule& rule) {
  const bool chosen = rule.kind == AttentionKind::rwsp;
  // From 0 on it would be the hard pointer throughout, which is `attention: gumbel`.
  rule.rho_start = reader.number("rho_start", rule.rho_start, 0.001, 1);
  rule.rho_end = reader.number("rho_end", rule.rho_end, 0, 1);
  const std::string schedule = reader.choice("rho_schedule", "linear", {"linear", "cosine", "geometric"});
  if (schedule == "cosine") rule.rho_schedule = Anneal::cosine;
  if (schedule == "geometric") rule.rho_schedule = Anneal::geometric;
  if (!chosen) {
    for (const char* name : {"rho_start", "rho_end", "rho_schedule"}) reader.leave_out(name);
  } else if (rule.rho_schedule == Anneal::geometric && std::min(rule.rho_start, rule.rho_end) <= 0) {
    reader.add_problem(fmt::format("rho_schedule: geometric needs rho_start and rho_end above 0, got {} and {}",
                                   rule.rho_start, rule.rho_end));
  }
}

constexpr double kLeastTheta = 1, kMostTheta = 1e9, kMostFactor = 1e4, kLeastTurns = 0.001, kMostTurns = 1e4;
constexpr int64_t kMostPositions = int64_t{1} << 30;

const std::vector<std::pair<Positions, std::string>> kPositionNames = {
    {Positions::alibi, "alibi"}, {Positions::rope, "rope"}, {Positions::none, "none"}};

// All left out where positions are not scaled.
void read_rope_scaling(OptionReader& reader, RopeScaling& scaling, bool rope) {
  scaling.factor = reader.number("rope_factor", scaling.factor, 1, kMostFactor);
  scaling.low = reader.number("rope_low_freq_factor", scaling.low, kLeastTurns, kMostTurns);
  scaling.high = reader.number("rope_high_freq_factor", scaling.high, kLeastTurns, kMostTurns);
  scaling.positions = reader.integer("rope_original_positions", scaling.positions, 1, kMostPositions);
  if (!rope || scaling.factor == 1) {
    for (const char* name : {"rope_factor", "rope_low_freq_factor", "rope_high_freq_factor", "rope_original_positions"})
      reader.leave_out(name);
  } else if (scaling.high <= scaling.low) {
    reader.add_problem(fmt::format("rope_high_freq_factor: expected more than rope_low_freq_factor ({}), got {}",
                                   scaling.low, scaling.high));
  }
}

void read_positions(OptionReader& reader, AttentionRule& rule, const Shape* rope_shape) {
  const bool alibi = reader.boolean("alibi", rule.positions == Positions::alibi);
  std::vector<std::string> names;
  for (const auto& [positions, name] : kPositionNames)
    if (positions != Positions::rope || rope_shape != nullptr) names.push_back(name);
  const std::string chosen = reader.choice("positions", names.front(), names);
  if (!reader.has("positions")) {
    rule.positions = alibi ? Positions::alibi : Positions::none;
  } else {
    rule.positions = std::find_if(kPositionNames.begin(), kPositionNames.end(), [&](const auto& entry) {
                       return entry.second == chosen;
                     })->first;
    if (reader.has("alibi") && alibi != (chosen == "alibi"))
      reader.add_problem(
          fmt::format("positions: {} and alibi: {} contradict each other; give one of them", chosen, alibi));
  }
  const bool rope = rule.positions == Positions::rope;
  if (rope_shape != nullptr) rule.rope_theta = reader.number("rope_theta", rule.rope_theta, kLeastTheta, kMostTheta);
  if (rope_shape != nullptr) read_rope_scaling(reader, rule.rope_scaling, rope);
  if (rope) {
    reader.leave_out("alibi");
    if (reader.good() && rope_shape->head_size() % 2 != 0)
      reader.add_problem(
          fmt::format("positions: rope turns pairs of numbers, so d_model/n_heads must be even, got {}/{}",
                      rope_shape->d_model, rope_shape->n_heads));
  } else {
    reader.resolve("alibi", rule.positions == Positions::alibi);
    reader.leave_out("positions");
    reader.leave_out("rope_theta");
  }
}

TopKeys top_keys_of(const AttentionStep& step) {
  return {.keys = step.keys, .vote = step.kind == AttentionKind::topk, .rho = step.rho};
}

}  // namespace

AttentionRule read_attention(OptionReader& reader, const std::vector<AttentionKind>& kinds, int64_t context,
                             const AttentionRule& usual, const Shape* rope_shape) {
  const auto offered = [&](AttentionKind kind) { return std::find(kinds.begin(), kinds.end(), kind) != kinds.end(); };
  AttentionRule rule = usual;
  rule.kind = read_kind(reader, kinds);
  read_positions(reader, rule, rope_shape);
  rule.tau_start = reader.number("tau_start", rule.tau_start, kLeastTau, kMostTau);
  rule.tau_end = reader.number("tau_end", rule.tau_end, kLeastTau, kMostTau);
  if (offered(AttentionKind::topk)) {
    const bool chosen = rule.kind == AttentionKind::topk;
    const int64_t keys = read_keys(reader, "topk_k", rule.keys, context, chosen);
    if (chosen) rule.keys = keys;
  }
  if (offered(AttentionKind::rwsp)) {
    const bool chosen = rule.kind == AttentionKind::rwsp;
    const int64_t keys = read_keys(reader, "rwsp_k", usual.keys, context, chosen);
    if (chosen) rule.keys = keys;
    read_rho(reader, rule);
  }
  return rule;
}

AttentionRule read_softmax_attention(OptionReader& reader, const Shape* rope_shape) {
  AttentionRule rule;
  rule.kind = AttentionKind::softmax;
  read_positions(reader, rule, rope_shape);
  return rule;
}

AttentionProducts attention_products(const AttentionRule& rule, int64_t context) {
  const double all = static_cast<double>(context);
  switch (rule.kind) {
    case AttentionKind::softmax:
      return {2 * all, 4 * all};
    case AttentionKind::gumbel:
      return {all, 3 * all};
    case AttentionKind::rwsp:
    case AttentionKind::topk:
      break;
  }
  const double keys = static_cast<double>(std::min(rule.keys, context));
  const double few = keys - keys * (keys - 1) / 2 / all;  // the mean of min(K, t + 1)
  return {all + few, 4 * few};
}

AttentionStep attention_step(const AttentionRule& rule, const StepContext& context) {
  AttentionStep step{.kind = rule.kind, .noise = {}, .keys = rule.keys, .rho = 0};
  if (!context.training) step.observer = context.observer;
  step.rho = anneal(rule.rho_schedule, rule.rho_start, rule.rho_end, context.progress());
  if (context.training && rule.kind != AttentionKind::softmax) {
    step.noise = {context.noise, log_schedule(rule.tau_start, rule.tau_end, context.progress())};
  }
  return step;
}

at::Tensor attention_weights(const at::Tensor& q, const at::Tensor& k, int64_t heads, CausalBias& bias,
                             const AttentionStep& step) {
  at::NoGradGuard no_grad;
  const int64_t context = q.size(1);
  if (step.kind == AttentionKind::softmax) return softmax_weights(q, k, heads, bias);
  if (step.kind != AttentionKind::gumbel) return top_keys_weights(q, k, heads, bias, top_keys_of(step));
  const at::Tensor choice = pointer_indices(q, k, heads, bias);  // [B, H, T]
  return at::zeros({q.size(0), heads, context, context}, q.options().dtype(at::kFloat))
      .scatter_(3, choice.unsqueeze(3), 1.0);
}

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads, CausalBias& bias,
                  const AttentionStep& step) {
  BITSWEEP_BLOCK("attention");
  if (step.observer != nullptr && q.size(1) == k.size(1))
    step.observer->attention(attention_weights(q, k, heads, bias, step));
  if (step.kind == AttentionKind::softmax) return softmax_attention(q, k, v, heads, bias);
  if (step.kind == AttentionKind::gumbel) return pointer_attention(q, k, v, heads, bias, step.noise);
  return top_keys_attention(q, k, v, heads, bias, top_keys_of(step), step.noise);
}

}  // namespace bitsweep::nn
