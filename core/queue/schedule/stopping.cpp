#include "schedule/stopping.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/statistics.h"

namespace bitsweep::schedule {
namespace {

// The last rung at or before a step; 0: none yet.
int64_t rung_at(const StopSettings& s, int64_t step) {
  int64_t rung = std::max<int64_t>(1, s.grace);
  if (step < rung) return 0;
  while (rung <= step / s.reduction) rung *= s.reduction;
  return rung;
}

StopVerdict asha(const StopSettings& s, const RunCurve& run, std::span<const RunCurve* const> peers) {
  const int64_t rung = rung_at(s, run.reached());
  const auto mine = run.best_by(rung);
  if (rung == 0 || !mine) return {};
  std::vector<double> here{*mine};
  for (const RunCurve* peer : peers)
    if (const auto loss = peer->best_by(rung); loss && peer->reached() >= rung) here.push_back(*loss);
  const auto go_on = here.size() / static_cast<size_t>(s.reduction);
  if (go_on == 0) return {};
  const auto better = static_cast<size_t>(std::count_if(here.begin(), here.end(), [&](double l) { return l < *mine; }));
  if (better < go_on) return {};
  return {true, fmt::format("asha: {} of {} runs were better at step {}, and {} go on from there", better, here.size(),
                            rung, go_on)};
}

StopVerdict median_stop(const StopSettings& s, const RunCurve& run, std::span<const RunCurve* const> peers) {
  const int64_t step = run.reached();
  if (step < s.grace || run.losses.empty()) return {};
  std::vector<double> means;
  for (const RunCurve* peer : peers) {
    if (peer->reached() < step) continue;
    double sum = 0;
    int64_t count = 0;
    for (const LossAt& at : peer->losses)
      if (at.step <= step) sum += at.loss, ++count;
    if (count > 0) means.push_back(sum / static_cast<double>(count));
  }
  if (static_cast<int64_t>(means.size()) < std::max<int64_t>(1, s.fewest)) return {};
  const double middle = median(means);
  const double mine = *run.best_by(step);
  if (mine <= middle) return {};
  const double sign = s.negated ? -1 : 1;
  return {true, fmt::format("median: its best of {:.4f} by step {} is {} {:.4f}, the median of the means of {} runs",
                            sign * mine, step, s.negated ? "below" : "above", sign * middle, means.size())};
}

// Extrapolating costs a fit: asked at first after each evaluation, later whenever the curve is a seventh longer.
bool is_milestone(size_t evaluations) {
  const auto stretch = [](size_t n) { return std::floor(std::log(static_cast<double>(n)) / std::log(1.15)); };
  return evaluations < 2 || stretch(evaluations) > stretch(evaluations - 1);
}

StopVerdict curve(const StopSettings& s, const RunCurve& run, std::span<const RunCurve* const> peers,
                  const Extrapolate& extrapolate) {
  if (run.reached() < s.grace || !extrapolate || !is_milestone(run.losses.size())) return {};
  const RunCurve* best = nullptr;
  for (const RunCurve* peer : peers)
    if (peer->done && !peer->losses.empty() && (best == nullptr || peer->losses.back().loss < best->losses.back().loss))
      best = peer;
  if (best == nullptr) return {};
  const auto end = extrapolate(run);
  if (!end || !(end->sd > 0) || !std::isfinite(end->loss)) return {};
  const double other = best->losses.back().loss;
  const double above = 0.5 * std::erfc((other - end->loss) / (end->sd * std::sqrt(2.0)));
  if (above < s.probability) return {};
  return {true, fmt::format("curve: it will end at {:.4f} ± {:.4f}, above the {:.4f} of {} with probability {:.3f}",
                            end->loss, end->sd, other, best->id, above)};
}

}  // namespace

std::optional<StopRule> stop_rule_from(std::string_view text) {
  if (text == "none") return StopRule::none;
  if (text == "asha") return StopRule::asha;
  if (text == "median") return StopRule::median;
  if (text == "curve") return StopRule::curve;
  return std::nullopt;
}

std::optional<double> RunCurve::best_by(int64_t step) const {
  std::optional<double> best;
  for (const LossAt& at : losses)
    if (at.step <= step) best = std::min(best.value_or(at.loss), at.loss);
  return best;
}

StopVerdict should_stop(const StopSettings& settings, const RunCurve& run, std::span<const RunCurve* const> peers,
                        const Extrapolate& extrapolate) {
  if (run.losses.empty() || run.reached() >= run.steps) return {};
  switch (settings.rule) {
    case StopRule::asha:
      return asha(settings, run, peers);
    case StopRule::median:
      return median_stop(settings, run, peers);
    case StopRule::curve:
      return curve(settings, run, peers, extrapolate);
    default:
      return {};
  }
}

}  // namespace bitsweep::schedule
