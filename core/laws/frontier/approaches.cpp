#include "frontier/approaches.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/units.h"
#include "fit/distributions.h"

namespace bitsweep::frontier {
namespace {

constexpr double kLeastSpan = 0.69;  // of log C: budgets within a factor of two tell no exponent
constexpr size_t kFewestOnEnvelope = 3;

// log N against log C, with the variance of each log N.
struct Trend {
  std::vector<double> x, y, variance;
  double freedom = 0;  // of the variances; 0: they are not known

  double span() const {
    if (x.empty()) return 0;
    const auto [low, high] = std::minmax_element(x.begin(), x.end());
    return *high - *low;
  }
};

struct Line {
  double slope = 0, residual = 0;  // Σ w r²
  double xx = 0;                   // Σ w (x − x̄)²
};

Line line_through(const Trend& t, double between) {
  double w = 0, wx = 0, wy = 0, xy = 0;
  Line line;
  const auto weight = [&](size_t i) { return 1 / (t.variance[i] + between); };
  for (size_t i = 0; i < t.x.size(); ++i) w += weight(i), wx += weight(i) * t.x[i], wy += weight(i) * t.y[i];
  for (size_t i = 0; i < t.x.size(); ++i) {
    line.xx += weight(i) * std::pow(t.x[i] - wx / w, 2);
    xy += weight(i) * (t.x[i] - wx / w) * (t.y[i] - wy / w);
  }
  line.slope = xy / line.xx;
  for (size_t i = 0; i < t.x.size(); ++i)
    line.residual += weight(i) * std::pow(t.y[i] - wy / w - line.slope * (t.x[i] - wx / w), 2);
  return line;
}

// What minima scatter about the line beyond their own errors, so that Σ w r² is what k − 2 degrees of freedom leave.
double variance_between(const Trend& t) {
  const double wanted = static_cast<double>(t.x.size()) - 2;
  if (wanted < 1 || line_through(t, 0).residual <= wanted) return 0;
  double low = 0, high = 1;
  while (line_through(t, high).residual > wanted) high *= 2;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (line_through(t, middle).residual > wanted ? low : high) = middle;
  }
  return high;
}

Approach approach_of(const Trend& t) {
  Approach a;
  a.budgets = static_cast<int>(t.x.size());
  const double between = variance_between(t);
  const Line line = line_through(t, between);
  a.a_opt = line.slope;
  const double freedom = (between > 0 || t.freedom == 0) ? static_cast<double>(t.x.size()) - 2
                                                         : t.freedom + static_cast<double>(t.x.size()) - 2;
  if (freedom < 1) return a;
  const double half = fit::student_quantile(0.975, freedom) / std::sqrt(line.xx);
  a.interval = fit::Interval{line.slope - half, line.slope + half};
  return a;
}

Approach refused(std::string why) {
  Approach a;
  a.why_not = std::move(why);
  return a;
}

// Runs that no run of as much compute or less beats. Those of the least and the greatest size say where the sizes end,
// not where the envelope is.
Approach envelope_of(const std::vector<Place>& places) {
  if (places.empty()) return refused("no run");
  const auto [least, most] = std::minmax_element(places.begin(), places.end(),
                                                 [](const Place& a, const Place& b) { return a.params < b.params; });
  Trend t;
  double best = HUGE_VAL;
  for (size_t first = 0, last = 0; first < places.size(); first = last) {
    const Place* lowest = &places[first];
    for (; last < places.size() && std::log(places[last].flops / places[first].flops) < kSameCompute; ++last)
      if (places[last].loss < lowest->loss) lowest = &places[last];
    if (!(lowest->loss < best)) continue;
    best = lowest->loss;
    if (lowest->params < 1.02 * least->params || lowest->params > most->params / 1.02) continue;
    t.x.push_back(std::log(lowest->flops)), t.y.push_back(std::log(lowest->params)), t.variance.push_back(0);
  }
  if (t.x.size() < kFewestOnEnvelope || t.span() < kLeastSpan)
    return refused(fmt::format("{} run{} between the least and the greatest size on the envelope", t.x.size(),
                               t.x.size() == 1 ? "" : "s"));
  // Its scatter is all that is known of it: equal weights, and their size from the residuals.
  std::fill(t.variance.begin(), t.variance.end(), 1e-6);
  return approach_of(t);
}

Approach isoflop_of(const Minima& minima) {
  if (minima.all.empty()) return refused("no budget at which three sizes were run");
  Trend t;
  t.freedom = minima.freedom;
  for (const Minimum& m : minima.all) {
    if (!m.inside()) continue;
    t.x.push_back(std::log(m.flops)), t.y.push_back(std::log(m.params));
    t.variance.push_back(std::max(m.log_params_sd * m.log_params_sd, 1e-6));
  }
  if (t.x.size() < 2)
    return refused(fmt::format("{} of {} budgets with a minimum between their sizes", t.x.size(), minima.all.size()));
  if (t.span() < kLeastSpan) return refused("the budgets lie within a factor of two of each other");
  return approach_of(t);
}

Approach joint_of(const fit::FitResult& fit) {
  if (!fit.a_opt) return refused(fit.refused.empty() ? "the law has no two exponents" : fit.refused[0]);
  Approach a;
  a.a_opt = fit.a_opt;
  const auto at = fit.intervals.find("a_opt");
  if (at != fit.intervals.end()) a.interval = at->second;
  if (!a.interval) a.why_not = fit.refused.empty() ? "" : fit.refused[0];
  return a;
}

std::string told(const Approach& a) {
  return a.interval ? fmt::format("{:.3f} ({:.3f} to {:.3f})", *a.a_opt, a.interval->first, a.interval->second)
                    : fmt::format("{:.3f}", *a.a_opt);
}

void compare(const Approach& a, const char* a_name, const Approach& b, const char* b_name,
             std::vector<std::string>& out) {
  if (!a.interval || !b.interval) return;
  if (a.interval->second >= b.interval->first && b.interval->second >= a.interval->first) return;
  out.push_back(
      fmt::format("a_opt by {} is {}, by {} {}: their intervals do not meet", a_name, told(a), b_name, told(b)));
}

void tell_outside(const Minima& minima, std::vector<std::string>& out) {
  for (const Minimum& m : minima.all) {
    if (m.inside() || m.outside == "flat") continue;
    const double end = (m.outside == "above" ? m.slice.points.back() : m.slice.points.front()).params;
    out.push_back(fmt::format(
        "at {:.3g} FLOPs the minimum lies {} the sizes that were run ({} the {}): a run beyond it would show it",
        m.flops, m.outside, format_count(end), m.outside == "above" ? "largest" : "smallest"));
  }
}

json::object approach_json(const Approach& a) {
  return {{"a_opt", finite_or_null(a.a_opt)},
          {"interval", interval_json(a.interval)},
          {"budgets", a.budgets},
          {"why_not", a.why_not.empty() ? json::value(nullptr) : json::value(a.why_not)}};
}

}  // namespace

Approaches approaches(const std::vector<fit::Point>& points, const fit::FitResult& fit) {
  const std::vector<Place> places = places_of(points);
  Approaches out;
  out.minima = minima_of(slices(places));
  out.envelope = envelope_of(places);
  out.isoflop = isoflop_of(out.minima);
  out.joint = joint_of(fit);
  compare(out.envelope, "the envelope", out.isoflop, "iso-FLOP parabolas", out.remarks);
  compare(out.envelope, "the envelope", out.joint, "the joint law", out.remarks);
  compare(out.isoflop, "iso-FLOP parabolas", out.joint, "the joint law", out.disagreements);
  tell_outside(out.minima, out.remarks);
  return out;
}

json::object approaches_json(const Approaches& a) {
  json::array minima;
  for (const Minimum& m : a.minima.all)
    minima.push_back(json::object{{"flops", m.flops},
                                  {"params", m.params},
                                  {"tokens", m.tokens},
                                  {"loss", m.loss},
                                  {"inside", m.inside()},
                                  {"outside", m.outside},
                                  {"sizes", m.slice.points.size()},
                                  {"measured", m.slice.measured}});
  return {{"envelope", approach_json(a.envelope)},
          {"isoflop", approach_json(a.isoflop)},
          {"joint", approach_json(a.joint)},
          {"minima", minima},
          {"disagreements", strings_json(a.disagreements)},
          {"remarks", strings_json(a.remarks)}};
}

}  // namespace bitsweep::frontier
