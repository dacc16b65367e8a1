#include "coordinate/early_stop.h"

#include <cmath>

namespace bitsweep::coordinate {
namespace {

// What a run's axes are at those named; runs without the axis agree in that.
std::string group_of(const json::object& axes, const std::vector<std::string>& within) {
  json::object group;
  for (const std::string& axis : within)
    if (const json::value* value = axes.if_contains(axis)) group[axis] = *value;
  return canonical_json(group);
}

// A run that is over in another way than by its end or by a rule has nothing to say of how good it is.
bool competes(RunState state) { return state != RunState::failed && state != RunState::cancelled; }

std::optional<double> metric_of(const event::Event& event, const std::string& metric) {
  const json::value* value = event.fields.if_contains(metric);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const auto number = value->to_number<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

}  // namespace

EarlyStop::Curves& EarlyStop::curves_of(const std::string& sweep, const SweepRules& rules) {
  const auto [found, fresh] = sweeps_.emplace(sweep, Curves{});
  Curves& curves = found->second;
  if (!fresh) return curves;
  // Told by the runs' start events, which came before the first evaluation.
  const MetricKinds kinds = store_.metric_kinds();
  const MetricKind* kind = kinds.find(rules.stop_metric);
  curves.negated = kind != nullptr && kind->better == Better::higher;
  for (const store::StoredCurve& stored : sweep_curves(store_, sweep, rules.stop_metric)) {
    if (!competes(stored.state)) continue;
    Entry entry{{stored.run, stored.steps, {}, stored.state == RunState::done},
                group_of(stored.axes, rules.stop_within)};
    for (const auto& [step, value] : stored.losses)
      entry.curve.losses.push_back({step, curves.negated ? -value : value});
    curves.of_runs.emplace(stored.run, std::move(entry));
  }
  return curves;
}

std::string EarlyStop::evaluated(const store::RunRecord& run, const event::Event& event, const SweepRules& rules) {
  if (rules.stop.rule == schedule::StopRule::none) return "";
  const auto value = metric_of(event, rules.stop_metric);
  if (!value) return "";
  Curves& curves = curves_of(run.sweep, rules);
  Entry& own = curves.of_runs[run.id];
  if (own.curve.id.empty()) own = {{run.id, run.steps, {}, false}, group_of(run.axes, rules.stop_within)};
  // A resumed run repeats steps.
  std::erase_if(own.curve.losses, [&](const schedule::LossAt& at) { return at.step >= event.step; });
  own.curve.losses.push_back({event.step, curves.negated ? -*value : *value});
  std::vector<const schedule::RunCurve*> peers;
  for (const auto& [id, other] : curves.of_runs)
    if (id != run.id && other.group == own.group) peers.push_back(&other.curve);
  schedule::Extrapolate extrapolate;
  if (curve_end_)
    extrapolate = [&](const schedule::RunCurve& curve) {
      return curve_end_(curve, spec::run_spec_from_json(run.spec).train);
    };
  schedule::StopSettings settings = rules.stop;
  settings.negated = curves.negated;
  const schedule::StopVerdict verdict = should_stop(settings, own.curve, peers, extrapolate);
  return verdict.stop ? verdict.why : "";
}

void EarlyStop::ended(const store::RunRecord& run) {
  const auto sweep = sweeps_.find(run.sweep);
  if (sweep == sweeps_.end()) return;
  std::map<std::string, Entry>& curves = sweep->second.of_runs;
  const auto found = curves.find(run.id);
  if (found == curves.end()) return;
  found->second.curve.done = run.state == RunState::done;
  if (!competes(run.state)) curves.erase(found);
}

}  // namespace bitsweep::coordinate
