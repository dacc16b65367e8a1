#include "fit/profile.h"

#include <cmath>
#include <functional>
#include <limits>

#include "fit/distributions.h"
#include "fit/objective.h"
#include "fit/optimise.h"

namespace bitsweep::fit {
namespace {

constexpr double kReach = 14;  // in the logarithm of the value: further out there is no bound
constexpr double kPrecision = 1e-5;

using Level = std::function<std::optional<Plane>(double)>;

// One side of one profile, in h = log(value / estimate).
class Side {
 public:
  Side(Objective& objective, const Level& level, const Eigen::VectorXd& theta, double estimate, double lowest,
       double rise, double sign)
      : objective_(objective),
        level_(level),
        near_(theta),
        estimate_(estimate),
        lowest_(lowest),
        rise_(rise),
        sign_(sign) {}

  // h > 0 where the objective passes the ceiling; infinity where it never does. `step`: a first guess.
  double crossing(double step) {
    double low = 0, low_excess = -1, high = step;
    double high_excess = excess(high);
    while (high_excess < 0) {
      if (high >= kReach) return std::numeric_limits<double>::infinity();
      low = high;
      low_excess = high_excess;
      high = std::min(1.7 * high, kReach);
      high_excess = excess(high);
    }
    // Illinois: false position on the root of the height, which for a parabola is a straight line; an end that stays
    // twice counts half.
    double low_height = height(low_excess), high_height = height(high_excess);
    for (int last = 0; high - low > kPrecision * high;) {
      double middle = low + (high - low) * low_height / (low_height - high_height);
      if (!(middle > low && middle < high)) middle = 0.5 * (low + high);
      const double found = height(excess(middle));
      if (std::abs(found) < 1e-6) return middle;
      const int side = found < 0 ? -1 : 1;
      if (side < 0) {
        low = middle;
        low_height = found;
        if (last == side) high_height /= 2;
      } else {
        high = middle;
        high_height = found;
        if (last == side) low_height /= 2;
      }
      last = side;
    }
    return 0.5 * (low + high);
  }

 private:
  static double height(double excess) { return std::min(std::sqrt(std::max(0.0, 1 + excess)) - 1, 1e6); }

  // (objective − lowest) / rise − 1.
  double excess(double h) {
    const auto plane = level_(estimate_ * std::exp(sign_ * h));
    if (!plane) return std::numeric_limits<double>::infinity();
    const Descent end = descend_on(objective_, *plane, near_);
    if (!std::isfinite(end.objective)) return std::numeric_limits<double>::infinity();
    if (end.objective < lowest_ + rise_) near_ = end.theta;
    return (end.objective - lowest_) / rise_ - 1;
  }

  Objective& objective_;
  const Level& level_;
  Eigen::VectorXd near_;
  double estimate_, lowest_, rise_, sign_;
};

}  // namespace

std::map<std::string, std::pair<double, double>> profile_intervals(const Law& law, const Observations& observed,
                                                                   const Eigen::VectorXd& theta, double confidence) {
  Objective objective(law, observed.points, std::numeric_limits<double>::infinity());
  objective.set_weights(observed.weights);
  Eigen::VectorXd gradient;
  Eigen::MatrixXd hessian, majoriser;
  const double lowest = objective.derivatives(theta, gradient, hessian, majoriser);
  const double t = student_quantile(0.5 + confidence / 2, observed.freedom);
  const double rise = std::max(t * t * lowest / observed.freedom, 1e-26);
  const Eigen::MatrixXd spread = majoriser.completeOrthogonalDecomposition().pseudoInverse();

  // An amplitude that rests on zero has no logarithm to walk along.
  const double negligible = 1e-9 * std::exp(objective.log_loss().minCoeff());
  std::map<std::string, std::pair<double, double>> intervals;
  const auto add = [&](const std::string& name, double estimate, const Level& level) {
    if (!(estimate > negligible) || !std::isfinite(estimate)) return;
    // The quadratic model's guess: how far the plane moves against how far the valley reaches.
    const auto plane = level(estimate * std::exp(1e-3));
    if (!plane) return;
    const double slope = std::abs(plane->offset - plane->normal.dot(theta)) / 1e-3;
    const double width = std::sqrt(2 * rise * plane->normal.dot(spread * plane->normal));
    const double step = std::clamp(slope > 0 ? width / slope : 0.1, 1e-9, 2.0);
    const double down = Side(objective, level, theta, estimate, lowest, rise, -1).crossing(step);
    const double up = Side(objective, level, theta, estimate, lowest, rise, +1).crossing(step);
    if (std::isnan(down) || std::isnan(up)) return;
    intervals[name] = {estimate * std::exp(-down), estimate * std::exp(up)};
  };
  const auto named = law.named(objective.amplitudes(theta), objective.shapes(theta));
  int alpha = -1, beta = -1;
  for (size_t i = 0; i < named.size(); ++i) {
    if (named[i].name == "alpha") alpha = static_cast<int>(i);
    if (named[i].name == "beta") beta = static_cast<int>(i);
    add(named[i].name, named[i].value, [&law, i](double value) { return law.level(static_cast<int>(i), value); });
  }
  if (alpha < 0 || beta < 0) return intervals;
  // β(1 − a) − αa = 0.
  const double estimate = named[beta].value / (named[alpha].value + named[beta].value);
  const auto first = law.level(alpha, 0.5), second = law.level(beta, 0.5);
  if (first && second)
    add("a_opt", estimate, [&](double a) -> std::optional<Plane> {
      if (!(a < 1)) return std::nullopt;
      return Plane{second->normal * (1 - a) - first->normal * a, 0};
    });
  return intervals;
}

}  // namespace bitsweep::fit
