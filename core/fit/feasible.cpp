#include "fit/feasible.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/rng.h"

namespace bitsweep {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kSlack = 1e-11;     // of a constraint whose row has length 1
constexpr double kBoundLosses = 1e6;  // an amplitude of so many losses is without limit

std::optional<VectorXd> one_variable(const MatrixXd& a, const VectorXd& b, double c, double bound) {
  double low = -bound, high = bound;
  for (Eigen::Index i = 0; i < a.rows(); ++i) {
    if (a(i, 0) > kSlack)
      high = std::min(high, b[i] / a(i, 0));
    else if (a(i, 0) < -kSlack)
      low = std::max(low, b[i] / a(i, 0));
    else if (b[i] < -kSlack * bound)
      return std::nullopt;
  }
  if (low > high + kSlack * (1 + std::abs(low))) return std::nullopt;
  return VectorXd::Constant(1, c >= 0 ? high : low);
}

// The rows up to `count`, on the plane a_i x = b_i, with variable `out` expressed by the others.
std::optional<VectorXd> on_plane(const MatrixXd& a, const VectorXd& b, const VectorXd& c, double bound, Eigen::Index i) {
  const Eigen::Index d = c.size();
  Eigen::Index out = 0;
  a.row(i).cwiseAbs().maxCoeff(&out);
  const double pivot = a(i, out);
  if (std::abs(pivot) < kSlack) return std::nullopt;
  MatrixXd small(i + 2, d - 1);
  VectorXd right(i + 2), cost(d - 1);
  for (Eigen::Index col = 0, to = 0; col < d; ++col) {
    if (col == out) continue;
    const double ratio = a(i, col) / pivot;
    small.col(to).head(i) = a.col(col).head(i) - ratio * a.col(out).head(i);
    small(i, to) = -ratio, small(i + 1, to) = ratio;
    cost[to++] = c[col] - c[out] * ratio;
  }
  const double constant = b[i] / pivot;
  right.head(i) = b.head(i) - constant * a.col(out).head(i);
  right[i] = bound - constant, right[i + 1] = bound + constant;
  const auto x = linear_program(small, right, cost, bound);
  if (!x) return std::nullopt;
  VectorXd full(d);
  double value = constant;
  for (Eigen::Index col = 0, from = 0; col < d; ++col) {
    if (col == out) continue;
    full[col] = (*x)[from++];
    value -= a(i, col) / pivot * full[col];
  }
  full[out] = value;
  return full;
}

// The range at given shapes.
class Range {
 public:
  Range(const Law& law, const std::vector<Point>& points, const Point& target, double noise)
      : law_(law), x_(law.coordinates(points)), at_(law.coordinates({target})) {
    const Eigen::Index n = x_.rows(), k = static_cast<Eigen::Index>(law.terms().size());
    right_.resize(2 * n + k);
    for (Eigen::Index i = 0; i < n; ++i) {
      scale_ = std::max(scale_, points[i].loss);
      right_[2 * i] = points[i].loss + noise;
      right_[2 * i + 1] = noise - points[i].loss;
    }
    right_.tail(k).setZero();
    // A fixed shuffle: the algorithm is fast for rows in random order.
    for (Eigen::Index i = 0; i < right_.size(); ++i) order_.push_back(i);
    for (size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random_below(0, 0, i, i)]);
  }

  // sign +1: the highest prediction, −1: minus the lowest. −infinity where nothing is feasible.
  double operator()(const VectorXd& log_shapes, double sign) {
    const VectorXd shapes = log_shapes.array().exp();
    law_.evaluate(x_, shapes, 0, basis_);
    law_.evaluate(at_, shapes, 0, target_);
    const Eigen::Index n = x_.rows(), k = target_.value.cols();
    // Columns scaled to length about 1, so that one slack serves all.
    const Eigen::RowVectorXd scale = basis_.value.matrix().cwiseAbs().colwise().maxCoeff();
    MatrixXd a(right_.size(), k);
    VectorXd b(right_.size());
    for (Eigen::Index row = 0; row < a.rows(); ++row) {
      const Eigen::Index from = order_[row];
      if (from < 2 * n)
        a.row(row) = (from % 2 == 0 ? 1 : -1) * basis_.value.matrix().row(from / 2).cwiseQuotient(scale);
      else
        a.row(row) = -Eigen::RowVectorXd::Unit(k, from - 2 * n);
      b[row] = right_[from] / scale_;
    }
    const VectorXd c = sign * target_.value.matrix().row(0).cwiseQuotient(scale).transpose();
    const auto best = linear_program(a, b, c, kBoundLosses);
    if (!best) return -std::numeric_limits<double>::infinity();
    if (best->cwiseAbs().maxCoeff() >= 0.999 * kBoundLosses && sign > 0) return std::numeric_limits<double>::infinity();
    return scale_ * c.dot(*best);
  }

 private:
  const Law& law_;
  Eigen::ArrayXXd x_, at_;
  VectorXd right_;
  std::vector<Eigen::Index> order_;
  double scale_ = 0;
  Basis basis_, target_;
};

// The highest value over the shapes' box: a grid in the logarithm, then a compass search from its best points.
double search(Range& range, const Law& law, const VectorXd& hint, double sign) {
  const int s = static_cast<int>(law.shapes().size());
  VectorXd low(s), high(s);
  for (int j = 0; j < s; ++j) low[j] = std::log(law.shapes()[j].lower), high[j] = std::log(law.shapes()[j].upper);
  const int per_axis = s == 1 ? 400 : s == 2 ? 48 : 12;
  std::vector<std::pair<double, VectorXd>> grid;
  std::vector<int> index(s, 0);
  for (bool more = true; more;) {
    VectorXd at(s);
    for (int j = 0; j < s; ++j) at[j] = low[j] + (high[j] - low[j]) * index[j] / (per_axis - 1.0);
    grid.emplace_back(range(at, sign), at);
    more = false;
    for (int j = 0; j < s && !more; ++j) {
      more = ++index[j] < per_axis;
      if (!more) index[j] = 0;
    }
  }
  if (hint.size() == s) {
    const VectorXd at = hint.array().log();
    grid.emplace_back(range(at, sign), at);
  }
  std::stable_sort(grid.begin(), grid.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  double best = grid[0].first;
  for (size_t i = 0; i < std::min<size_t>(grid.size(), 4) && std::isfinite(grid[i].first); ++i) {
    auto [value, at] = grid[i];
    for (double size = (high - low).maxCoeff() / per_axis; size > 1e-9;) {
      bool moved = false;
      for (int j = 0; j < 2 * s; ++j) {
        VectorXd next = at;
        next[j / 2] = std::clamp(at[j / 2] + (j % 2 ? size : -size), low[j / 2], high[j / 2]);
        const double found = range(next, sign);
        if (found > value) value = found, at = next, moved = true;
      }
      if (!moved) size /= 2;
    }
    best = std::max(best, value);
  }
  return best;
}

}  // namespace

std::optional<VectorXd> linear_program(const MatrixXd& a, const VectorXd& b, const VectorXd& c, double bound) {
  if (c.size() == 1) return one_variable(a, b, c[0], bound);
  VectorXd x(c.size());
  for (Eigen::Index j = 0; j < c.size(); ++j) x[j] = c[j] >= 0 ? bound : -bound;
  for (Eigen::Index i = 0; i < a.rows(); ++i) {
    const double excess = a.row(i).dot(x) - b[i];
    if (excess <= kSlack * (1 + a.row(i).cwiseAbs().dot(x.cwiseAbs()))) continue;
    // The optimum moves onto the plane of the row it breaks.
    const auto moved = on_plane(a, b, c, bound, i);
    if (!moved) return std::nullopt;
    x = *moved;
  }
  return x;
}

std::optional<std::pair<double, double>> feasible_range(const Law& law, const std::vector<Point>& points,
                                                        const Point& target, double noise, const VectorXd& hint) {
  if (points.empty() || !(noise > 0)) return std::nullopt;
  Range range(law, points, target, noise);
  const double high = search(range, law, hint, +1);
  const double low = -search(range, law, hint, -1);
  if (!(low <= high)) return std::nullopt;
  return std::make_pair(std::max(low, 0.0), high);
}

}  // namespace bitsweep
