#include "fit/beyond.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/units.h"

namespace bitsweep::fit {
namespace {

constexpr double kSame = 1 + 1e-9;  // what rounding adds to a run's own place

std::string factor_text(double factor) {
  if (factor < 100) return fmt::format("{:.2g}", factor);
  return factor < 1e7 ? format_thousands(std::llround(factor)) : fmt::format("{:.1e}", factor);
}

}  // namespace

std::string Beyond::text() const {
  if (inside()) return "within the runs";
  const std::string stretched = fmt::format("{} {} times outside of the runs", axis, factor_text(stretch));
  if (compute <= 1) return stretched;
  const std::string more = fmt::format("{} times the compute of the largest run", factor_text(compute));
  return axis.empty() ? more : more + ", and " + stretched;
}

std::string Beyond::cell() const {
  const std::string factor = factor_text(compute) + "×";
  return axis.empty() ? factor : fmt::format("{} ({} {}×)", factor, axis, factor_text(stretch));
}

Beyond beyond(const std::vector<Point>& points, const Target& target, const std::vector<Axis>& axes) {
  Beyond out;
  if (points.empty()) return out;
  for (const Axis axis : axes) {
    const double factor = extrapolation_factor(points, axis_value(target, axis), axis);
    if (factor > kSame && factor > out.stretch) out.stretch = factor, out.axis = axis_name(axis);
  }
  const Point& largest = *std::max_element(
      points.begin(), points.end(), [](const Point& a, const Point& b) { return compute_of(a) < compute_of(b); });
  double ratio = 1;
  if (target.params > 0 && largest.params > 0) ratio *= target.params / largest.params;
  if (target.tokens > 0 && largest.tokens > 0) ratio *= target.tokens / largest.tokens;
  out.compute = std::abs(ratio - 1) < kSame - 1 ? 1 : ratio;
  return out;
}

std::string too_far(const Beyond& beyond, double limit) {
  if (beyond.most() <= limit) return "";
  return fmt::format("it lies {}, and no law is trusted beyond {} times", beyond.text(), factor_text(limit));
}

json::object beyond_json(const Beyond& beyond) {
  return {{"compute", finite_or_null(beyond.compute)},
          {"stretch", finite_or_null(beyond.stretch)},
          {"axis", beyond.axis.empty() ? json::value(nullptr) : json::value(beyond.axis)}};
}

}  // namespace bitsweep::fit
