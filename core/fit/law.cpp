#include "fit/law.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "fit/axis.h"

namespace bitsweep {

std::vector<std::string> law_names() { return {"power", "chinchilla"}; }

std::unique_ptr<Law> make_law(const std::string& name, const std::vector<Point>& points, const std::string& axis) {
  if (name == "power") return make_power_law(points, axis);
  if (name == "chinchilla") {
    if (!axis.empty())
      throw Error(ErrorKind::input, fmt::format("the law 'chinchilla' has both axes; axis '{}' is for 'power'", axis));
    return make_chinchilla_law(points);
  }
  throw Error(ErrorKind::input, fmt::format("unknown law '{}'{}; known: {}", name, did_you_mean(name, law_names()),
                                            fmt::join(law_names(), ", ")));
}

void Basis::resize(Eigen::Index points, int terms, int shapes, int order) {
  const auto fit = [&](Eigen::ArrayXXd& a) {
    if (a.rows() != points || a.cols() != terms) a.setZero(points, terms);
  };
  fit(value);
  if (order >= 1) {
    first.resize(shapes);
    for (auto& a : first) fit(a);
  }
  if (order >= 2) {
    second.resize(shapes * (shapes + 1) / 2);
    for (auto& a : second) fit(a);
  }
}

double axis_value(const Point& point, Axis axis) { return axis == Axis::params ? point.params : point.tokens; }

const char* axis_name(Axis axis) { return axis == Axis::params ? "params" : "tokens"; }

double log_center(const std::vector<Point>& points, Axis axis) {
  double sum = 0;
  for (const Point& p : points) sum += std::log(axis_value(p, axis));
  return points.empty() ? 0 : sum / static_cast<double>(points.size());
}

int distinct_values(const std::vector<Point>& points, Axis axis) {
  // Two counts within a thousandth are one size: the same shape with a few parameters more or less.
  std::vector<double> logs;
  for (const Point& p : points) logs.push_back(std::log(axis_value(p, axis)));
  std::sort(logs.begin(), logs.end());
  int count = 0;
  double last = 0;
  for (const double x : logs) {
    if (count == 0 || x - last > 1e-3) ++count, last = x;
  }
  return count;
}

double extrapolation_factor(const std::vector<Point>& points, double target, Axis axis) {
  if (points.empty() || !(target > 0)) return 1;
  double low = axis_value(points[0], axis), high = low;
  for (const Point& p : points) {
    low = std::min(low, axis_value(p, axis));
    high = std::max(high, axis_value(p, axis));
  }
  return std::max({1.0, target / high, low / target});
}

std::vector<double> exponent_starts(int count) {
  std::vector<double> starts;
  for (int i = 0; i < count; ++i) starts.push_back(0.02 * std::pow(100.0, i / (count - 1.0)));  // 0.02 … 2
  return starts;
}

}  // namespace bitsweep
