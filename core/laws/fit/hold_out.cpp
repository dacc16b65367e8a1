#include "fit/hold_out.h"

#include <algorithm>
#include <cmath>

#include "base/statistics.h"
#include "fit/likelihood.h"

namespace bitsweep::fit {
namespace {

Target target_at(const Point& p) {
  Target target;
  target.params = p.params;
  target.tokens = p.tokens;
  target.unique_tokens = p.unique_tokens;
  target.variant = p.variant;
  target.dataset = p.dataset;
  target.lr_area = p.lr_area;
  target.annealing = p.annealing;
  return target;
}

// The compute from which configurations are held out.
double threshold(const std::vector<Point>& points, double share) {
  std::vector<double> sizes;
  std::vector<bool> seen;
  for (const int group : group_by_configuration(points)) {
    const size_t i = seen.size();
    seen.push_back(static_cast<size_t>(group) == sizes.size());
    if (seen.back()) sizes.push_back(compute_of(points[i]));
  }
  std::sort(sizes.begin(), sizes.end());
  const size_t held = std::max<size_t>(1, static_cast<size_t>(share * static_cast<double>(sizes.size())));
  return sizes[sizes.size() - std::min(held, sizes.size())];
}

}  // namespace

std::optional<HoldOut> hold_out_largest(const std::vector<Point>& points, const FitOptions& options, double share) {
  // A checkpoint that is predicted from others of its run is no prediction.
  if (points.empty() || are_checkpoints(*make_law(options.law, points, options.choice()), points)) return std::nullopt;
  const double least = threshold(points, share);
  std::vector<Point> rest, held;
  for (const Point& p : points) (compute_of(p) >= least ? held : rest).push_back(p);
  std::stable_sort(held.begin(), held.end(),
                   [](const Point& a, const Point& b) { return compute_of(a) < compute_of(b); });
  FitOptions without = options;
  without.second_opinions = false;
  without.feasible_ranges = false;
  without.again = true;
  without.targets.clear();
  for (const Point& p : held) without.targets.push_back(target_at(p));
  const FitResult fit = fit_law(rest, without);
  HoldOut result;
  double squares = 0, inside = 0, inside_law = 0;
  for (size_t i = 0; i < held.size(); ++i) {
    const Prediction& prediction = fit.predictions[i];
    if (!prediction.loss || !prediction.interval) return std::nullopt;
    const auto within = [&](const std::optional<Interval>& interval) {
      return interval && interval->first <= held[i].loss && held[i].loss <= interval->second;
    };
    result.runs.push_back({held[i], *prediction.loss, prediction.expected.value_or(*prediction.loss),
                           *prediction.interval, within(prediction.law_interval)});
    squares += std::pow(result.runs.back().error(), 2);
    inside += result.runs.back().inside();
    inside_law += result.runs.back().inside_law;
    result.bias += (held[i].loss / result.runs.back().expected - 1) / static_cast<double>(held.size());
  }
  const double n = static_cast<double>(held.size());
  result.root_mean_square_error = std::sqrt(squares / n);
  result.coverage = inside / n;
  result.law_coverage = inside_law / n;
  return result;
}

double HoldOut::half_width() const {
  std::vector<double> widths;
  for (const HeldOut& run : runs) widths.push_back((run.interval.second - run.interval.first) / 2 / run.point.loss);
  return widths.empty() ? 0 : median(std::move(widths));
}

json::object hold_out_json(const HoldOut& hold_out) {
  json::array runs;
  for (const HeldOut& run : hold_out.runs)
    runs.push_back(json::object{{"run", run.point.run},
                                {"params", finite_or_null(run.point.params)},
                                {"tokens", finite_or_null(run.point.tokens)},
                                {"loss", finite_or_null(run.point.loss)},
                                {"predicted", finite_or_null(run.predicted)},
                                {"expected", finite_or_null(run.expected)},
                                {"interval", interval_json(run.interval)},
                                {"inside", run.inside()}});
  return {{"runs", runs},
          {"error", finite_or_null(hold_out.root_mean_square_error)},
          {"bias", finite_or_null(hold_out.bias)},
          {"half_width", finite_or_null(hold_out.half_width())},
          {"coverage", finite_or_null(hold_out.coverage)},
          {"law_coverage", finite_or_null(hold_out.law_coverage)}};
}

}  // namespace bitsweep::fit
