// Means over seeds, differences, and their intervals.
#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <iterator>
#include <string>

#include "analysis/cells.h"
#include "base/task_metrics.h"

namespace bitsweep::analysis {
namespace {

constexpr double kLevel = 0.975;  // two-sided 95 %

double two_sided_p(double t, double degrees) {
  return std::isfinite(t) ? 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(degrees), std::abs(t)))
                          : 0;
}

double t_quantile(double degrees, double level = kLevel) {
  return boost::math::quantile(boost::math::students_t(degrees), level);
}

// Of what a difference varies by: its standard error and the degrees of freedom that this was estimated with.
using Part = WindowError;

double half_width_of(const Part& seeds, const Part& windows, double level) {
  return std::hypot(t_quantile(seeds.degrees, level) * seeds.se, t_quantile(windows.degrees, level) * windows.se);
}

// The p at which the interval of level 1 − p ends at 0.
double p_of_both(double mean, const Part& seeds, const Part& windows) {
  double low = 0, high = 1;
  for (int i = 0; i < 40; ++i) {
    const double p = (low + high) / 2;
    (half_width_of(seeds, windows, 1 - p / 2) > std::abs(mean) ? low : high) = p;
  }
  return (low + high) / 2;
}

void set_interval(Estimate& d, const std::optional<Part>& seeds, const std::optional<WindowError>& windows) {
  const bool has_seeds = seeds && seeds->se > 0, has_windows = windows && windows->se > 0;
  if (windows) d.window_se = windows->se;
  d.windows_alone = windows && !seeds;
  if (!seeds && !windows) return;
  if (has_seeds && has_windows) {
    d.half_width = half_width_of(*seeds, *windows, kLevel);
    d.p = p_of_both(d.mean, *seeds, *windows);
  } else if (has_seeds) {
    d.half_width = t_quantile(seeds->degrees) * seeds->se;
    d.p = two_sided_p(d.mean / seeds->se, seeds->degrees);
  } else {
    d.half_width = has_windows ? t_quantile(windows->degrees) * windows->se : 0;
    if (seeds && has_windows) d.p = two_sided_p(d.mean / windows->se, windows->degrees);
  }
}

}  // namespace

std::optional<Estimate> estimate(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  const auto n = static_cast<double>(values.size());
  Estimate e;
  e.values = static_cast<int>(values.size());
  for (const double value : values) e.mean += value / n;
  if (values.size() < 2) return e;
  double squares = 0;
  for (const double value : values) squares += (value - e.mean) * (value - e.mean);
  e.sd = std::sqrt(squares / (n - 1));
  e.half_width = t_quantile(n - 1) * *e.sd / std::sqrt(n);
  return e;
}

Estimate difference(const Estimate& a, const Estimate& b, const std::optional<WindowError>& windows) {
  Estimate d;
  d.mean = a.mean - b.mean;
  d.values = std::min(a.values, b.values);
  if (a.sd && b.sd) {
    // Welch 1947, with Satterthwaite's degrees of freedom.
    const double va = *a.sd * *a.sd / a.values, vb = *b.sd * *b.sd / b.values;
    const double degrees = (va + vb) * (va + vb) / (va * va / (a.values - 1) + vb * vb / (b.values - 1));
    set_interval(d, Part{std::sqrt(va + vb), degrees}, windows);
  } else {
    set_interval(d, {}, windows);
  }
  return d;
}

Estimate paired_difference(const std::vector<double>& differences, const std::optional<WindowError>& windows) {
  Estimate d = *estimate(differences);
  const auto n = static_cast<double>(differences.size());
  if (d.sd) set_interval(d, Part{*d.sd / std::sqrt(n), n - 1}, windows);
  return d;
}

query::Asked asked_at(const MeasuredRun& run, const std::string& metric) {
  query::Asked asked = query::asked_for(run.row, metric);
  int64_t step = 0;
  for (const query::MetricRow& row : run.told)
    if (row.name == metric && row.value) step = std::max(step, row.step);
  if (step > 0 && !run.curve.empty() && step < run.curve.back().step) asked.emplace_back("step", std::to_string(step));
  return asked;
}

std::vector<size_t> asked_alike(const std::vector<MeasuredRun>& runs, const std::vector<size_t>& which,
                                const std::string& metric) {
  std::vector<query::Asked> asked;
  for (const size_t r : which) asked.push_back(asked_at(runs[r], metric));
  query::make_comparable(asked);
  std::vector<std::pair<query::Asked, std::vector<size_t>>> groups;
  for (size_t k = 0; k < which.size(); ++k) {
    const auto known = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == asked[k]; });
    if (known == groups.end())
      groups.push_back({asked[k], {which[k]}});
    else
      known->second.push_back(which[k]);
  }
  const auto largest = std::max_element(groups.begin(), groups.end(),
                                        [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  return largest == groups.end() ? std::vector<size_t>() : largest->second;
}

std::map<std::string, TaskEstimate> task_estimates(const std::vector<MeasuredRun>& runs,
                                                   const std::vector<size_t>& which) {
  std::map<std::string, std::vector<size_t>> told;
  for (const size_t r : which)
    for (const auto& [name, value] : runs[r].row.metrics)
      if (is_headline_metric(name)) told[name].push_back(r);
  std::map<std::string, TaskEstimate> estimates;
  for (const auto& [name, tellers] : told) {
    const std::vector<size_t> alike = asked_alike(runs, tellers, name);
    std::vector<double> values;
    for (const size_t r : alike) values.push_back(runs[r].row.metrics.find(name)->second);
    TaskEstimate& e = estimates[name];
    static_cast<Estimate&>(e) = *estimate(values);
    e.asked = asked_at(runs[alike.front()], name);
    std::copy_if(tellers.begin(), tellers.end(), std::back_inserter(e.apart),
                 [&](size_t r) { return std::find(alike.begin(), alike.end(), r) == alike.end(); });
  }
  return estimates;
}

}  // namespace bitsweep::analysis
