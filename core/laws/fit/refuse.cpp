#include "fit/refuse.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <Eigen/Dense>

#include "base/units.h"
#include "fit/distributions.h"

namespace bitsweep::fit {
namespace {

constexpr double kCollinear = 0.98;  // R² of log D on log N

const char* plural(int count) { return count == 1 ? "" : "s"; }

const char* what_varies(Axis axis) { return axis == Axis::params ? "model size" : "token budget"; }

Eigen::VectorXd logs(const std::vector<Point>& points, Axis axis) {
  Eigen::VectorXd x(points.size());
  for (size_t i = 0; i < points.size(); ++i) x[i] = std::log(axis_value(points[i], axis));
  return x;
}

std::string joined(const std::set<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + (name.empty() ? std::string("(none)") : name);
  return text;
}

// These two stop at the first `count`: resamples are asked by the thousand.
bool has_levels(const std::vector<Point>& points, Axis axis, size_t count) {
  std::vector<double> seen;
  for (const Point& p : points) {
    const double value = axis_value(p, axis);
    if (std::all_of(seen.begin(), seen.end(), [&](double s) { return std::abs(value / s - 1) > 2e-3; }))
      seen.push_back(value);
    if (seen.size() >= count) return true;
  }
  return false;
}

bool has_configurations(const std::vector<Point>& points, int count) {
  std::vector<const Point*> seen;
  for (const Point& p : points) {
    if (std::none_of(seen.begin(), seen.end(), [&](const Point* s) { return same_configuration(*s, p); }))
      seen.push_back(&p);
    if (static_cast<int>(seen.size()) >= count) return true;
  }
  return false;
}

bool usable(const std::vector<Point>& points, Axis axis) {
  return std::all_of(points.begin(), points.end(), [&](const Point& p) {
    const double value = axis_value(p, axis);
    return std::isfinite(value) && value > 0;
  });
}

}  // namespace

void refuse_few_configurations(const std::vector<Point>& points, int parameters, const std::string& law, Reasons& out) {
  if (has_configurations(points, parameters)) return;
  const auto groups = group_by_configuration(points);
  const int count = groups.empty() ? 0 : 1 + *std::max_element(groups.begin(), groups.end());
  if (count >= parameters) return;
  const std::string seeds =
      count < static_cast<int>(points.size())
          ? fmt::format(" ({} points; repeated seeds of a configuration tell its noise, not the law)", points.size())
          : "";
  out.push_back(fmt::format("too few points: {} configuration{}{} cannot determine the {} parameters of '{}'", count,
                            plural(count), seeds, parameters, law));
}

void refuse_few_levels(const std::vector<Point>& points, Axis axis, Reasons& out) {
  if (has_levels(points, axis, 3)) return;
  const int count = distinct_values(points, axis);
  if (count >= 3 || points.empty()) return;
  if (count == 1) {
    out.push_back(fmt::format("a single {} ({}): the points say nothing of how the loss falls with {}",
                              what_varies(axis), format_count(axis_value(points[0], axis)), axis_name(axis)));
  } else {
    out.push_back(fmt::format("only two {}s: a floor and an exponent along {} need at least three", what_varies(axis),
                              axis_name(axis)));
  }
}

void refuse_few_values(const std::vector<Point>& points, Axis axis, int parameters, const std::string& law,
                       Reasons& out) {
  const int count = distinct_values(points, axis);
  if (count == 1 && points.size() > 1) {
    refuse_few_levels(points, axis, out);
  } else if (count < parameters) {
    out.push_back(fmt::format("too few points: {} {}{} cannot determine the {} parameters of '{}'", count,
                              what_varies(axis), plural(count), parameters, law));
  }
}

void refuse_other_axis_varies(const std::vector<Point>& points, Axis axis, Reasons& out) {
  const Axis other = axis == Axis::params ? Axis::tokens : Axis::params;
  if (points.empty() || !usable(points, other)) return;
  const Eigen::VectorXd x = logs(points, other);
  const double factor = std::exp(x.maxCoeff() - x.minCoeff());
  if (factor < 1.05) return;
  out.push_back(
      fmt::format("the points also differ in {} (by a factor of {:.3g}), so the fall along {} alone cannot be "
                  "read off them; fit 'chinchilla', or keep one {}",
                  axis_name(other), factor, axis_name(axis), what_varies(other)));
}

void refuse_collinear_axes(const std::vector<Point>& points, Reasons& out) {
  if (!has_levels(points, Axis::params, 2) || !has_levels(points, Axis::tokens, 2)) return;
  const Eigen::VectorXd n = logs(points, Axis::params), d = logs(points, Axis::tokens);
  const Eigen::VectorXd cn = n.array() - n.mean(), cd = d.array() - d.mean();
  const double r2 = std::pow(cn.dot(cd), 2) / (cn.squaredNorm() * cd.squaredNorm());
  if (r2 < kCollinear) return;
  out.push_back(
      fmt::format("parameters and tokens grow together (R² of log D on log N is {:.4f}): what a larger model "
                  "gains and what more data gains cannot be told apart",
                  std::min(r2, 1.0)));
}

void refuse_unidentified_axes(const std::vector<Point>& points, Reasons& out) {
  refuse_few_levels(points, Axis::params, out);
  refuse_few_levels(points, Axis::tokens, out);
  refuse_collinear_axes(points, out);
}

namespace {

void refuse_mixed(const std::vector<Point>& points, std::string Point::*of, const char* noun, Reasons& out) {
  std::set<std::string> names;
  for (const Point& p : points) names.insert(p.*of);
  if (names.size() > 1)
    out.push_back(fmt::format("points of {} {} ({}) are not pooled into one law", names.size(), noun, joined(names)));
}

}  // namespace

void refuse_mixed_variants(const std::vector<Point>& points, Reasons& out) {
  refuse_mixed(points, &Point::variant, "variants", out);
}

void refuse_mixed_datasets(const std::vector<Point>& points, Reasons& out) {
  refuse_mixed(points, &Point::dataset, "datasets", out);
}

void refuse_mixed_labels(const std::vector<Point>& points, Reasons& out) {
  refuse_mixed_variants(points, out);
  refuse_mixed_datasets(points, out);
}

void refuse_absent(const std::vector<Point>& points, const std::vector<std::string>& labels, std::string Point::*of,
                   Reasons& out) {
  for (const std::string& label : labels) {
    if (std::none_of(points.begin(), points.end(), [&](const Point& p) { return p.*of == label; }))
      out.push_back(fmt::format("no point of '{}'", label));
  }
}

void refuse_nonpositive(const std::vector<Point>& points, const Law& law, Reasons& out) {
  const auto tell = [&](auto&& value, const char* what) {
    const auto count = std::count_if(points.begin(), points.end(),
                                     [&](const Point& p) { return !(value(p) > 0) || !std::isfinite(value(p)); });
    if (count > 0)
      out.push_back(fmt::format("{} of {} points ha{} no positive finite {}: there is no logarithm to fit", count,
                                points.size(), count == 1 ? "s" : "ve", what));
  };
  if (law.reads(Axis::params)) tell([](const Point& p) { return p.params; }, "number of parameters");
  if (law.reads(Axis::tokens)) tell([](const Point& p) { return p.tokens; }, "number of tokens");
  if (law.reads(Axis::lr_area))
    tell([](const Point& p) { return p.lr_area; }, "area below the learning rate (lr_area)");
  tell([](const Point& p) { return p.loss; }, "loss");
}

namespace {

constexpr double kSameOther = 0.05;  // of a logarithm: values of the other axis that count as one

struct Rise {
  double slope = 0, half_width = 0;  // of log loss a unit of the logarithm
  static double percent(double slope) { return 100 * (std::pow(10.0, slope) - 1); }
};

// The trend of log loss along `axis` among runs that are alike on the other one, each with a level of its own. One
// plane through all runs would not do: iso-FLOP parabolas are curved, and their plane may rise though the loss falls
// everywhere. Nothing unless it rises with confidence.
std::optional<Rise> rise_along(const std::vector<Point>& points, Axis axis, bool other_varies) {
  const Axis other = axis == Axis::params ? Axis::tokens : Axis::params;
  std::vector<size_t> order(points.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto at = [&](size_t i) { return std::log(axis_value(points[i], other)); };
  if (other_varies) std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return at(a) < at(b); });
  double xx = 0, xy = 0, yy = 0, freedom = -1;
  for (size_t first = 0, last = 0; first < order.size(); first = last) {
    double x = 0, y = 0, n = 0;
    for (; last < order.size() && (!other_varies || at(order[last]) - at(order[first]) < kSameOther); ++last) {
      x += std::log(axis_value(points[order[last]], axis));
      y += std::log(points[order[last]].loss);
      ++n;
    }
    for (size_t i = first; i < last; ++i) {
      const double dx = std::log(axis_value(points[order[i]], axis)) - x / n;
      const double dy = std::log(points[order[i]].loss) - y / n;
      xx += dx * dx, xy += dx * dy, yy += dy * dy;
    }
    freedom += n - 1;
  }
  if (!(xx > 1e-9) || freedom < 1) return std::nullopt;
  Rise rise;
  rise.slope = xy / xx;
  rise.half_width = student_quantile(0.975, freedom) * std::sqrt(std::max(0.0, yy - xy * rise.slope) / freedom / xx);
  if (rise.slope - rise.half_width <= 0) return std::nullopt;
  return rise;
}

}  // namespace

void refuse_flat_or_rising(const std::vector<Point>& points, bool along_params, bool along_tokens, Reasons& out) {
  const Eigen::Index n = static_cast<Eigen::Index>(points.size());
  if (n < 2) return;
  Eigen::VectorXd y(n);
  for (Eigen::Index i = 0; i < n; ++i) y[i] = std::log(points[i].loss);
  if (y.maxCoeff() - y.minCoeff() < 1e-9) {
    out.push_back(fmt::format("all losses are equal ({:.6g}): nothing falls", points[0].loss));
    return;
  }
  std::vector<Axis> axes;
  if (along_params && distinct_values(points, Axis::params) > 1) axes.push_back(Axis::params);
  if (along_tokens && distinct_values(points, Axis::tokens) > 1) axes.push_back(Axis::tokens);
  for (const Axis axis : axes) {
    const auto rise = rise_along(points, axis, axes.size() > 1);
    if (!rise) continue;
    out.push_back(fmt::format(
        "the loss does not fall with {} (log-log trend {:+.3g} % a decade, {:.3g} to {:.3g} % with 95 % confidence): "
        "the law only knows falling losses",
        axis_name(axis), rise->percent(rise->slope), rise->percent(rise->slope - rise->half_width),
        rise->percent(rise->slope + rise->half_width)));
  }
}

}  // namespace bitsweep::fit
