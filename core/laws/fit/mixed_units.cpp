#include "fit/mixed_units.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <Eigen/Dense>

namespace bitsweep::fit {
namespace {

constexpr size_t kFewest = 5;  // of either group
constexpr double kLeastShare = 0.1;
constexpr double kLeastRatio = 1.3;   // nats and bits are 1.44 apart, bytes and tokens 2 to 5
constexpr double kMostSpread = 0.15;  // of a group, beside the gap
constexpr double kLeastGap = 0.4;     // between the nearest of both, beside that of their means

// log loss by a plane of log N and log D with a step between the groups; `upper` of each point. Residuals of the plane
// alone, the step left in.
Eigen::VectorXd without_plane(const std::vector<const Point*>& points, const std::vector<bool>& upper, bool step) {
  const auto n = static_cast<Eigen::Index>(points.size());
  Eigen::MatrixXd x(n, 4);
  Eigen::VectorXd y(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto k = static_cast<size_t>(i);
    x.row(i) << 1, std::log(points[k]->params), std::log(points[k]->tokens), step && upper[k] ? 1 : 0;
    y[i] = std::log(points[k]->loss);
  }
  Eigen::VectorXd c = x.colPivHouseholderQr().solve(y);
  c[3] = 0;
  return y - x * c;
}

struct Split {
  double ratio = 1, spread = 0, gap = 0;
  std::vector<bool> upper;
};

// At the widest gap of the residuals that leaves enough on either side.
Split split_at_gap(const Eigen::VectorXd& residuals) {
  const auto n = static_cast<size_t>(residuals.size());
  std::vector<double> sorted(residuals.data(), residuals.data() + n);
  std::sort(sorted.begin(), sorted.end());
  const size_t least = std::max(kFewest, static_cast<size_t>(kLeastShare * static_cast<double>(n)));
  Split split;
  split.upper.assign(n, false);
  size_t at = 0;
  for (size_t i = least; i + least <= n; ++i)
    if (at == 0 || sorted[i] - sorted[i - 1] > sorted[at] - sorted[at - 1]) at = i;
  if (at == 0) return split;
  split.gap = sorted[at] - sorted[at - 1];
  const double edge = (sorted[at] + sorted[at - 1]) / 2;
  double sums[2] = {0, 0}, squares[2] = {0, 0}, counts[2] = {0, 0};
  for (size_t i = 0; i < n; ++i) {
    const double r = residuals[static_cast<Eigen::Index>(i)];
    const bool up = split.upper[i] = r > edge;
    sums[up] += r, squares[up] += r * r, ++counts[up];
  }
  for (int k = 0; k < 2; ++k)
    split.spread += std::sqrt(std::max(0.0, squares[k] / counts[k] - std::pow(sums[k] / counts[k], 2))) / 2;
  split.ratio = std::exp(sums[1] / counts[1] - sums[0] / counts[0]);
  return split;
}

// "variant a and b against c", where labels and groups are the same.
std::string by_label(const std::vector<const Point*>& points, const std::vector<bool>& upper, std::string Point::*label,
                     const char* noun) {
  std::set<std::string> high, low;
  for (size_t i = 0; i < points.size(); ++i) (upper[i] ? high : low).insert(points[i]->*label);
  for (const std::string& name : high)
    if (low.contains(name)) return "";
  return fmt::format(" ({} {} above {})", noun, fmt::join(high, ", "), fmt::join(low, ", "));
}

}  // namespace

std::string mixed_units(const std::vector<Point>& points) {
  std::vector<const Point*> known;
  for (const Point& p : points)
    if (p.params > 0 && p.tokens > 0 && p.loss > 0) known.push_back(&p);
  if (known.size() < 2 * kFewest + 2) return "";
  Split split = split_at_gap(without_plane(known, {}, false));
  if (!(split.ratio > 1)) return "";
  // With the step in the plane it is seen as it is.
  split = split_at_gap(without_plane(known, split.upper, true));
  if (!(split.ratio > kLeastRatio) || split.spread > kMostSpread * std::log(split.ratio) ||
      split.gap < kLeastGap * std::log(split.ratio))
    return "";
  std::string who = by_label(known, split.upper, &Point::variant, "variant");
  if (who.empty()) who = by_label(known, split.upper, &Point::dataset, "dataset");
  const auto high = std::count(split.upper.begin(), split.upper.end(), true);
  return fmt::format(
      "losses fall into two groups {:.3g} times apart at equal params and tokens, {} and {} runs{}: are they of one "
      "unit? nats and bits are 1.44 apart, tokens and bytes 2 to 5; --where picks one group",
      split.ratio, high, static_cast<std::ptrdiff_t>(known.size()) - high, who);
}

}  // namespace bitsweep::fit
