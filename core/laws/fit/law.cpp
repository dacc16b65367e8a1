#include "fit/law.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "base/law_names.h"
#include "base/nearest.h"
#include "fit/axis.h"

namespace bitsweep::fit {

namespace {

struct Entry {
  const char* name;
  std::unique_ptr<Law> (*make)(const std::vector<Point>&, const LawChoice&);
  std::string LawChoice::*choice;  // the one it has; nullptr: none
};

constexpr Entry kLaws[] = {
    {"power", make_power_law, &LawChoice::axis},      {"chinchilla", make_chinchilla_law, nullptr},
    {"repeated", make_repeated_law, nullptr},         {"precision", make_precision_law, &LawChoice::reference},
    {"grouped", make_grouped_law, &LawChoice::group}, {"curve", make_curve_law, nullptr},
};

// A choice that the law has not would be passed over in silence.
void check_choice(const Entry& entry, const LawChoice& choice) {
  struct {
    const char* noun;
    std::string LawChoice::*value;
    const char* law;
  } static constexpr kinds[] = {{"axis", &LawChoice::axis, "power"},
                                {"reference", &LawChoice::reference, "precision"},
                                {"group", &LawChoice::group, "grouped"}};
  for (const auto& kind : kinds) {
    if (kind.value == entry.choice || (choice.*kind.value).empty()) continue;
    throw Error(ErrorKind::input, fmt::format("the law '{}' has no {} to choose; {} '{}' is for '{}'", entry.name,
                                              kind.noun, kind.noun, choice.*kind.value, kind.law));
  }
}

}  // namespace

std::vector<std::string> law_names() { return known_law_names(); }

std::vector<std::string> one_variant_law_names() {
  std::vector<std::string> names;
  for (const std::string& name : law_names()) {
    const auto law = make_law(name, {});
    if (!law->pools_variants() && !law->pools_datasets() && !law->within_runs()) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::unique_ptr<Law> make_law(const std::string& name, const std::vector<Point>& points, const LawChoice& choice) {
  for (const Entry& entry : kLaws) {
    if (name != entry.name) continue;
    check_choice(entry, choice);
    return entry.make(points, choice);
  }
  throw Error(ErrorKind::input, fmt::format("unknown law '{}'{}; known: {}", name, did_you_mean(name, law_names()),
                                            fmt::join(law_names(), ", ")));
}

std::string Law::missing(const Target& target) const {
  for (const Axis axis : {Axis::params, Axis::tokens, Axis::lr_area}) {
    if (reads(axis) && !(axis_value(target, axis) > 0))
      return fmt::format("it has no value for an axis of the law: {}", axis_name(axis));
  }
  return "";
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

namespace {

template <typename Place>
double value_on(const Place& place, Axis axis) {
  switch (axis) {
    case Axis::params:
      return place.params;
    case Axis::tokens:
      return place.tokens;
    case Axis::unique_tokens:
      return place.unique_tokens;
    case Axis::lr_area:
      return place.lr_area;
    case Axis::annealing:
      return place.annealing;
  }
  return 0;
}

}  // namespace

double axis_value(const Point& point, Axis axis) { return value_on(point, axis); }
double axis_value(const Target& target, Axis axis) { return value_on(target, axis); }

const char* axis_name(Axis axis) {
  static constexpr const char* kNames[] = {"params", "tokens", "unique_tokens", "lr_area", "annealing"};
  return kNames[static_cast<int>(axis)];
}

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

}  // namespace bitsweep::fit
