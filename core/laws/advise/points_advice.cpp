#include "advise/points_advice.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "advise/places.h"
#include "base/error.h"

namespace bitsweep::advise {
namespace {

constexpr size_t kPlacesRanked = 5;
constexpr int kPlacesInBatch = 8;  // of a batch, as `suggest` has it

// The run of the lowest loss at the size nearest to this one.
const query::RunRow& like_run(const analysis::SweepData& data, const analysis::LawData& law, double params) {
  const auto far = [&](size_t r) {
    return std::pair(std::abs(std::log(static_cast<double>(data.runs[r].params) / params)),
                     data.runs[r].last_val_bpc.value_or(HUGE_VAL));
  };
  return data
      .runs[*std::min_element(law.runs.begin(), law.runs.end(), [&](size_t a, size_t b) { return far(a) < far(b); })];
}

analysis::NextRun run_of(const PlaceSet& set, size_t candidate, double takes) {
  const Place& place = set.places[candidate];
  return {place.params, place.tokens, place.steps, set.costs.of[candidate], takes, {}, {}};
}

}  // namespace

analysis::TargetPlan plan_of_place(const analysis::SweepData& data, const analysis::LawData& law,
                                   const fit::Target& target, double limit) {
  const query::RunRow& like = like_run(data, law, target.params);
  const Place place = place_at(data, law, target.params, target.tokens);
  analysis::TargetPlan plan;
  plan.group = law.label;
  plan.variant = law.variant;
  plan.target = target;
  plan.like = like.id;
  plan.table = true;
  plan.refused = too_far(fit::beyond(law.points, target), limit);
  plan.params = target.params, plan.tokens = target.tokens, plan.flops = place.flops;
  // A report scales them by the batch it advises.
  if (like.steps > 0)
    plan.steps = std::llround(target.tokens / (static_cast<double>(like.tokens) / static_cast<double>(like.steps)));
  plan.hours = hours_at(data, law, place);
  return plan;
}

std::vector<fit::Target> near_targets(const analysis::LawData& law, const std::vector<fit::Target>& targets,
                                      double limit) {
  std::vector<fit::Target> near;
  for (const fit::Target& target : targets)
    if (too_far(fit::beyond(law.points, target), limit).empty()) near.push_back(target);
  return near;
}

analysis::NextRuns next_places(const analysis::SweepData& data, const analysis::LawData& law,
                               const std::vector<fit::Target>& targets, const std::string& why) {
  analysis::NextRuns next;
  next.group = law.label;
  next.variant = law.variant;
  if (targets.empty()) {
    next.refused = kNoNearTarget;
    return next;
  }
  try {
    const PlaceSet set = make_places(data, law, targets, {});
    SuggestOptions options;
    options.targets = targets;
    for (fit::Target& target : options.targets) target.variant = law.variant, target.dataset = law.label;
    options.limits.runs = kPlacesInBatch;
    if (set.costs.spent > 0) options.limits.cost = set.costs.spent;
    const Suggestion s = suggest(law.points, as_candidates(set, law), options);
    next.law = s.law;
    next.hours = set.costs.hours;
    next.cost = s.cost;
    next.candidates = set.places.size();
    next.target = s.targets[0].target;
    next.now = s.targets[0].half_width;
    next.outlook = outlook_lines(s, set.costs);
    next.leans_on_prior = s.leans_on_prior;
    for (size_t i = 0; i < std::min(kPlacesRanked, s.ranking.size()); ++i)
      next.ranking.push_back(run_of(set, s.ranking[i].candidate, s.ranking[i].reduction));
    for (const SuggestedRun& picked : s.batch) {
      analysis::NextRun run = run_of(set, picked.candidate, picked.reduction);
      run.expected = picked.loss;
      run.leaves = s.targets[0].half_width * std::sqrt(picked.remaining);
      next.batch.push_back(std::move(run));
    }
    if (s.batch.empty()) return next;
    next.file = "next-" + (slug(law.variant).empty() ? std::string("model") : slug(law.variant)) + ".yaml";
    next.yaml = places_yaml("bitsweep report", why, s, set, data, law);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    const std::string text = error.what();
    next.refused = text.substr(0, text.find('\n'));
  }
  return next;
}

Advice advise_points(const analysis::ReportInput& input) {
  Advice advice;
  std::vector<fit::Target> targets;
  for (const fit::Target& target : input.targets)
    if (target.params > 0 && target.tokens > 0) targets.push_back(target);
  if (targets.empty()) return advice;
  analysis::SweepData data = law_data(input);
  if (data.sweeps.empty()) data.sweeps = {input.name};
  std::set<std::string> files;
  for (const analysis::LawData& law : data.laws) {
    if (law.points.empty()) continue;
    for (const fit::Target& target : targets)
      advice.plans.push_back(plan_of_place(data, law, target, input.extrapolation_limit));
    analysis::NextRuns next =
        next_places(data, law, near_targets(law, targets, input.extrapolation_limit), "a table names no plugin");
    const std::string stem = next.file.substr(0, next.file.rfind('.'));
    for (int k = 2; !next.file.empty() && !files.insert(next.file).second; ++k)
      next.file = fmt::format("{}-{}.yaml", stem, k);
    advice.next.push_back(std::move(next));
  }
  return advice;
}

}  // namespace bitsweep::advise
