#include "fit/bootstrap.h"

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "fit/distributions.h"
#include "fit/likelihood.h"
#include "fit/optimise.h"

namespace bitsweep::fit {
namespace {

constexpr int kJackknifeParts = 200;  // of many groups, several are left out at once
constexpr int kTries = 50;            // of one resample, before it is given up

// How often each point is drawn: with its whole group, or not.
Eigen::ArrayXd draw_weights(const std::vector<int>& groups, int count, uint64_t seed, uint64_t stream) {
  std::vector<int> drawn(count, 0);
  for (int i = 0; i < count; ++i)
    ++drawn[random_below(seed, stream, static_cast<uint64_t>(i), static_cast<uint64_t>(count))];
  Eigen::ArrayXd weights(groups.size());
  for (size_t i = 0; i < groups.size(); ++i) weights[i] = drawn[groups[i]];
  return weights;
}

// One point a group will do: the rules look at where points are.
bool can_carry(const Law& law, const std::vector<Point>& points, const Eigen::ArrayXd& weights,
               const std::vector<int>& groups, std::vector<Point>& kept) {
  kept.clear();
  int next = 0;
  const bool checkpoints = are_checkpoints(law, points);
  for (size_t i = 0; i < points.size(); ++i) {
    const bool first = groups[i] == next;
    next += first;
    if (weights[static_cast<Eigen::Index>(i)] > 0 && (first || checkpoints)) kept.push_back(points[i]);
  }
  return law.design_refusals(kept).empty();
}

Descent lowest_from(Objective& objective, const std::vector<Eigen::VectorXd>& minima) {
  Descent best;
  for (const auto& start : minima) {
    Descent end = descend_wide(objective, start);
    if (best.theta.size() == 0 || end.objective < best.objective) best = std::move(end);
  }
  return best;
}

double quantile_of(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

Bootstrap bootstrap(const Law& law, const std::vector<Point>& points, double delta,
                    const std::vector<Eigen::VectorXd>& minima, int resamples, uint64_t seed) {
  Bootstrap result;
  const auto groups = resampling_groups(law, points);
  const int count = groups.empty() ? 0 : 1 + *std::max_element(groups.begin(), groups.end());
  const Objective objective(law, points, delta);
  const std::vector<Eigen::VectorXd> from = with_lifted(objective, minima);
  std::vector<Point> kept;
  for (int i = 0; i < resamples; ++i) {
    Eigen::ArrayXd weights;
    bool found = false;
    for (int attempt = 0; attempt < kTries && !found; ++attempt) {
      const uint64_t stream = static_cast<uint64_t>(Stream::bootstrap) << 48 | static_cast<uint64_t>(i) << 8 | attempt;
      weights = draw_weights(groups, count, seed, stream);
      found = can_carry(law, points, weights, groups, kept);
      result.redrawn += !found;
    }
    if (!found) {
      // A design this thin will not do better in the next thousand draws.
      if (i >= 20 && result.thetas.size() < static_cast<size_t>(i / 2)) break;
      continue;
    }
    Objective resample = objective.resampled(weights);
    Descent end = lowest_from(resample, from);
    if (end.theta.size() > 0 && std::isfinite(end.objective)) result.thetas.push_back(std::move(end.theta));
  }
  result.parts = std::min(count, kJackknifeParts);
  for (int part = 0; part < result.parts && resamples > 0; ++part) {
    Eigen::ArrayXd weights(points.size());
    for (size_t i = 0; i < points.size(); ++i) weights[static_cast<Eigen::Index>(i)] = groups[i] % result.parts != part;
    if (!can_carry(law, points, weights, groups, kept)) continue;
    Objective resample = objective.resampled(weights);
    Descent end = lowest_from(resample, from);
    if (end.theta.size() > 0 && std::isfinite(end.objective)) result.without.push_back(std::move(end.theta));
  }
  return result;
}

std::pair<double, double> bca_interval(std::vector<double> values, double estimate, const std::vector<double>& without,
                                       double confidence) {
  std::sort(values.begin(), values.end());
  const double below = static_cast<double>(std::lower_bound(values.begin(), values.end(), estimate) - values.begin());
  const double equal =
      static_cast<double>(std::upper_bound(values.begin(), values.end(), estimate) - values.begin()) - below;
  const double n = static_cast<double>(values.size());
  const double bias = normal_quantile(std::clamp((below + 0.5 * equal) / n, 0.5 / n, 1 - 0.5 / n));
  double mean = 0, squares = 0, cubes = 0;
  for (const double v : without) mean += v / static_cast<double>(without.size());
  for (const double v : without) squares += std::pow(mean - v, 2), cubes += std::pow(mean - v, 3);
  const double acceleration = squares > 0 ? cubes / (6 * std::pow(squares, 1.5)) : 0;
  const auto end = [&](double p) {
    const double z = bias + normal_quantile(p);
    return quantile_of(values, normal_cdf(bias + z / std::max(1 - acceleration * z, 1e-3)));
  };
  return {end(0.5 - confidence / 2), end(0.5 + confidence / 2)};
}

std::pair<double, double> percentile_interval(std::vector<double> values, double confidence) {
  std::sort(values.begin(), values.end());
  return {quantile_of(values, 0.5 - confidence / 2), quantile_of(values, 0.5 + confidence / 2)};
}

}  // namespace bitsweep::fit
