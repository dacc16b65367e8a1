// Means over seeds and their intervals.
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "analysis/cells.h"

namespace bitsweep::analysis {
namespace {

constexpr double kLevel = 0.975;  // two-sided 95 %

double two_sided_p(double t, double degrees) {
  return std::isfinite(t) ? 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(degrees), std::abs(t)))
                          : 0;
}

double t_quantile(double degrees) { return boost::math::quantile(boost::math::students_t(degrees), kLevel); }

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

Estimate difference(const Estimate& a, const Estimate& b) {
  Estimate d;
  d.mean = a.mean - b.mean;
  d.values = std::min(a.values, b.values);
  if (!a.sd || !b.sd) return d;
  // Welch 1947, with Satterthwaite's degrees of freedom.
  const double va = *a.sd * *a.sd / a.values, vb = *b.sd * *b.sd / b.values;
  if (va + vb <= 0) {
    d.half_width = 0;
    return d;
  }
  const double degrees = (va + vb) * (va + vb) / (va * va / (a.values - 1) + vb * vb / (b.values - 1));
  d.half_width = t_quantile(degrees) * std::sqrt(va + vb);
  d.p = two_sided_p(d.mean / std::sqrt(va + vb), degrees);
  return d;
}

Estimate paired_difference(const std::vector<double>& differences) {
  Estimate d = *estimate(differences);
  const auto n = static_cast<double>(differences.size());
  if (d.sd && *d.sd > 0) d.p = two_sided_p(d.mean / (*d.sd / std::sqrt(n)), n - 1);
  return d;
}

}  // namespace bitsweep::analysis
