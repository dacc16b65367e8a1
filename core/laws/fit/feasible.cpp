#include "fit/feasible.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/rng.h"

namespace bitsweep::fit {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kSlack = 1e-11;      // of a constraint whose row has length 1
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
std::optional<VectorXd> on_plane(const MatrixXd& a, const VectorXd& b, const VectorXd& c, double bound,
                                 Eigen::Index i) {
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

// The linear programs at given shapes.
class Range {
 public:
  Range(const Law& law, const std::vector<Point>& points, const Point& target, double noise)
      : law_(law), x_(law.coordinates(points)), at_(law.coordinates({target})), loss_(points.size()) {
    for (size_t i = 0; i < points.size(); ++i) loss_[i] = points[i].loss;
    scale_ = loss_.maxCoeff();
    loss_ /= scale_;
    noise_ = noise / scale_;
    // A fixed shuffle: the algorithm is fast for rows in random order.
    for (Eigen::Index i = 0; i < 2 * loss_.size() + static_cast<Eigen::Index>(law.terms().size()); ++i)
      order_.push_back(i);
    for (size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random_below(0, 0, i, i)]);
  }

  // sign +1: the highest prediction, −1: minus the lowest. −infinity where nothing is feasible.
  double prediction(const VectorXd& log_shapes, double sign) {
    const VectorXd shapes = log_shapes.array().exp();
    fill(shapes, false);
    law_.evaluate(at_, shapes, 0, target_);
    const VectorXd c = sign * target_.value.matrix().row(0).cwiseQuotient(unit_).transpose();
    const auto best = linear_program(a_, b_, c, kBoundLosses);
    if (!best) return -std::numeric_limits<double>::infinity();
    if (best->cwiseAbs().maxCoeff() >= 0.999 * kBoundLosses && sign > 0) return std::numeric_limits<double>::infinity();
    return scale_ * c.dot(*best);
  }

  // Minus the least noise that these shapes need (Chebyshev's fit).
  double fitness(const VectorXd& log_shapes) {
    fill(log_shapes.array().exp(), true);
    const VectorXd c = -VectorXd::Unit(a_.cols(), a_.cols() - 1);
    const auto best = linear_program(a_, b_, c, kBoundLosses);
    return best ? c.dot(*best) : -std::numeric_limits<double>::infinity();
  }

 private:
  // Rows ±(ΦA − L) <= noise and −A <= 0, losses and columns scaled to about 1 so that one slack serves all. With
  // `free_noise` the noise is one more variable.
  void fill(const VectorXd& shapes, bool free_noise) {
    law_.evaluate(x_, shapes, 0, basis_);
    const Eigen::Index n = x_.rows(), k = basis_.value.cols();
    unit_ = basis_.value.matrix().cwiseAbs().colwise().maxCoeff();
    a_.setZero(2 * n + k, k + (free_noise ? 1 : 0));
    b_.setZero(2 * n + k);
    for (Eigen::Index row = 0; row < a_.rows(); ++row) {
      const Eigen::Index from = order_[row];
      if (from >= 2 * n) {
        a_(row, from - 2 * n) = -1;
        continue;
      }
      const double side = from % 2 == 0 ? 1 : -1;
      a_.row(row).head(k) = side * basis_.value.matrix().row(from / 2).cwiseQuotient(unit_);
      if (free_noise) a_(row, k) = -1;
      b_[row] = side * loss_[from / 2] + (free_noise ? 0 : noise_);
    }
  }

  const Law& law_;
  Eigen::ArrayXXd x_, at_;
  VectorXd loss_;
  double scale_ = 1, noise_ = 0;
  std::vector<Eigen::Index> order_;
  Basis basis_, target_;
  Eigen::RowVectorXd unit_;
  MatrixXd a_;
  VectorXd b_;
};

using Place = std::pair<double, VectorXd>;  // a value, at shapes in the logarithm

// Climbs along the axes with smaller and smaller steps.
template <typename Function>
Place compass(Function&& value, Place from, const VectorXd& low, const VectorXd& high, double size) {
  auto& [best, at] = from;
  while (size > 1e-9) {
    bool moved = false;
    for (Eigen::Index j = 0; j < 2 * at.size(); ++j) {
      VectorXd next = at;
      next[j / 2] = std::clamp(at[j / 2] + (j % 2 ? size : -size), low[j / 2], high[j / 2]);
      const double found = value(next);
      if (found > best) {
        best = found;
        at = next;
        moved = true;
      }
    }
    if (!moved) size /= 2;
  }
  return from;
}

// The highest value over the shapes' box: a grid in the logarithm and the hints, then a climb from the best of them.
template <typename Function>
Place search(Function&& value, const Law& law, const std::vector<VectorXd>& hints) {
  const int s = static_cast<int>(law.shapes().size());
  VectorXd low(s), high(s);
  for (int j = 0; j < s; ++j) low[j] = std::log(law.shapes()[j].lower), high[j] = std::log(law.shapes()[j].upper);
  const int per_axis = s == 1 ? 400 : s == 2 ? 48 : 12;
  std::vector<Place> places;
  for (const VectorXd& hint : hints) places.emplace_back(value(hint), hint);
  std::vector<int> index(s, 0);
  for (bool more = true; more;) {
    VectorXd at(s);
    for (int j = 0; j < s; ++j) at[j] = low[j] + (high[j] - low[j]) * index[j] / (per_axis - 1.0);
    places.emplace_back(value(at), at);
    more = false;
    for (int j = 0; j < s && !more; ++j) {
      more = ++index[j] < per_axis;
      if (!more) index[j] = 0;
    }
  }
  std::stable_sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.first > b.first; });
  Place best = places[0];
  for (size_t i = 0; i < std::min<size_t>(places.size(), 4) && std::isfinite(places[i].first); ++i) {
    Place end = compass(value, places[i], low, high, (high - low).maxCoeff() / per_axis);
    if (end.first > best.first) best = std::move(end);
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
  std::vector<VectorXd> hints;
  if (hint.size() > 0) hints.push_back(hint.array().log());
  // The feasible shapes may lie between the points of a grid; those that fit best are among them if any are.
  hints.push_back(search([&](const VectorXd& at) { return range.fitness(at); }, law, hints).second);
  const double high = search([&](const VectorXd& at) { return range.prediction(at, +1); }, law, hints).first;
  const double low = -search([&](const VectorXd& at) { return range.prediction(at, -1); }, law, hints).first;
  if (!(low <= high)) return std::nullopt;
  return std::make_pair(std::max(low, 0.0), high);
}

}  // namespace bitsweep::fit
