#include "plan/speed.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/statistics.h"

namespace bitsweep::plan {
namespace {

// A process with LibTorch, its data and its first step; seen to be 0.4 to 0.9 s on two-core machines.
constexpr double kStartSeconds = 0.7;

// Tokens of training whose time the run's evaluations take: a forward pass is a third of a step.
double evaluation_tokens(const spec::RunSpec& spec) {
  const int64_t every = std::max<int64_t>(1, spec.eval.every);
  const int64_t evaluations = (spec.train.steps + every - 1) / every;
  return static_cast<double>(evaluations * spec.eval.windows * spec.data.context) / 3;
}

}  // namespace

std::string speed_key(const spec::RunSpec& spec) {
  const json::object whole = to_json(spec);
  const json::object& data = whole.at("data").as_object();
  const json::object& train = whole.at("train").as_object();
  json::object key{{"model", whole.at("model")}};
  for (const char* name : {"tokenizer", "context"}) key[name] = data.at(name);
  for (const char* name : {"batch", "accumulate", "precision", "optimizer"}) key[name] = train.at(name);
  if (const json::value* gradients = train.if_contains("gradients")) key["gradients"] = *gradients;
  return canonical_json(key);
}

std::optional<TimeEstimate> estimate_time(const PlannedRun& run, std::span<const MeasuredSpeed> speeds) {
  const std::string key = speed_key(run.spec);
  const double tokens = run.tokens + evaluation_tokens(run.spec);
  std::vector<double> same;
  const MeasuredSpeed* nearest = nullptr;
  const auto distance = [&](const MeasuredSpeed& speed) {
    return std::abs(std::log(speed.flops_per_token / run.training_flops_per_token()));
  };
  for (const MeasuredSpeed& speed : speeds) {
    if (!(speed.tokens_per_s > 0) || !(speed.flops_per_token > 0)) continue;
    if (speed.key == key) same.push_back(speed.tokens_per_s);
    if (speed.plugin == run.spec.model.plugin && (nearest == nullptr || distance(speed) < distance(*nearest)))
      nearest = &speed;
  }
  if (!same.empty()) return TimeEstimate{kStartSeconds + tokens / median(same), /*measured=*/true};
  if (nearest == nullptr || !(run.training_flops_per_token() > 0)) return std::nullopt;
  const double flops_per_s = nearest->tokens_per_s * nearest->flops_per_token;
  return TimeEstimate{kStartSeconds + tokens * run.training_flops_per_token() / flops_per_s, /*measured=*/false};
}

}  // namespace bitsweep::plan
