#include "frontier/joint_law.h"

#include <cmath>

namespace bitsweep::frontier {

JointLaw joint_law(const std::vector<fit::NamedValue>& values) {
  JointLaw law;
  auto& [E, A, B, alpha, beta] = law;
  for (const fit::NamedValue& v : values) {
    if (v.name == "E") E = v.value;
    if (v.name == "A") A = v.value;
    if (v.name == "B") B = v.value;
    if (v.name == "alpha") alpha = v.value;
    if (v.name == "beta") beta = v.value;
  }
  return law;
}

double JointLaw::loss(double params, double tokens) const {
  return E + A * std::pow(params, -alpha) + B * std::pow(tokens, -beta);
}

std::optional<Division> JointLaw::divide(double flops, double flops_per_nd) const {
  if (!(A > 0) || !(B > 0) || !(alpha > 0) || !(beta > 0)) return std::nullopt;
  const double log_nd = std::log(flops / flops_per_nd);
  const double log_n = (std::log(alpha * A / (beta * B)) + beta * log_nd) / (alpha + beta);
  Division d{std::exp(log_n), std::exp(log_nd - log_n), 0};
  d.loss = E + A * std::exp(-alpha * log_n) + B * std::exp(-beta * (log_nd - log_n));
  if (!std::isfinite(d.params) || !std::isfinite(d.tokens) || !std::isfinite(d.loss)) return std::nullopt;
  return d;
}

}  // namespace bitsweep::frontier
