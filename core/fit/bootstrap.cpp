#include "fit/bootstrap.h"

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "fit/optimise.h"

namespace bitsweep {
namespace {

constexpr int kTries = 50;  // of one resample, before it is given up

// How often each point is drawn: with its whole group, or not.
Eigen::ArrayXd draw_weights(const std::vector<int>& groups, int count, uint64_t seed, uint64_t stream) {
  std::vector<int> drawn(count, 0);
  for (int i = 0; i < count; ++i)
    ++drawn[random_below(seed, stream, static_cast<uint64_t>(i), static_cast<uint64_t>(count))];
  Eigen::ArrayXd weights(groups.size());
  for (size_t i = 0; i < groups.size(); ++i) weights[i] = drawn[groups[i]];
  return weights;
}

bool can_carry(const Law& law, const std::vector<Point>& points, const Eigen::ArrayXd& weights) {
  std::vector<Point> kept;
  for (size_t i = 0; i < points.size(); ++i) {
    if (weights[i] > 0) kept.push_back(points[i]);
  }
  return law.design_refusals(kept).empty();
}

}  // namespace

Bootstrap bootstrap(const Law& law, const std::vector<Point>& points, double delta,
                    const std::vector<Eigen::VectorXd>& minima, int resamples, uint64_t seed) {
  Bootstrap result;
  const auto groups = group_by_configuration(points);
  const int count = groups.empty() ? 0 : 1 + *std::max_element(groups.begin(), groups.end());
  Objective objective(law, points, delta);
  for (int i = 0; i < resamples; ++i) {
    Eigen::ArrayXd weights;
    bool found = false;
    for (int attempt = 0; attempt < kTries && !found; ++attempt) {
      const uint64_t stream = static_cast<uint64_t>(Stream::bootstrap) << 48 | static_cast<uint64_t>(i) << 8 | attempt;
      weights = draw_weights(groups, count, seed, stream);
      found = can_carry(law, points, weights);
      result.redrawn += !found;
    }
    if (!found) {
      // A design this thin will not do better in the next thousand draws.
      if (i >= 20 && result.thetas.size() < static_cast<size_t>(i / 2)) break;
      continue;
    }
    objective.set_weights(weights);
    Descent best;
    for (const auto& start : minima) {
      Descent end = descend_wide(objective, start);
      if (best.theta.size() == 0 || end.objective < best.objective) best = std::move(end);
    }
    if (best.theta.size() > 0 && std::isfinite(best.objective)) result.thetas.push_back(std::move(best.theta));
  }
  return result;
}

std::pair<double, double> percentile_interval(std::vector<double> values, double confidence) {
  std::sort(values.begin(), values.end());
  const auto quantile = [&](double q) {
    const double at = q * static_cast<double>(values.size() - 1);
    const size_t below = static_cast<size_t>(at);
    const size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
  };
  return {quantile(0.5 - confidence / 2), quantile(0.5 + confidence / 2)};
}

}  // namespace bitsweep
