// A normal distribution cut off at zero in every coordinate.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Dense>

#include "fit/distributions.h"

namespace bitsweep::fit {

// About `mean`, of precision L·Lᵀ/sd², by the GHK simulator (Geweke 1991, Hajivassiliou, McFadden 1998): one coordinate
// after another from the part of its normal that is above zero; the logarithm of the product of these parts is added to
// `log_weight`. `uniform(i)` in (0, 1).
template <typename Uniform>
Eigen::VectorXd draw_positive(const Eigen::VectorXd& mean, const Eigen::MatrixXd& lower, double sd, Uniform&& uniform,
                              double& log_weight) {
  const Eigen::Index k = mean.size();
  Eigen::VectorXd a(k);
  // a = mean + sd·L⁻ᵀz: the last depends on its own z alone, the one before on two …
  for (Eigen::Index i = k - 1; i >= 0; --i) {
    double middle = mean[i];
    for (Eigen::Index j = i + 1; j < k; ++j) middle -= lower(j, i) / lower(i, i) * (a[j] - mean[j]);
    const double spread = sd / lower(i, i);
    const double above = spread > 0 ? normal_cdf(middle / spread) : middle > 0 ? 1 : 0;  // P(a_i > 0)
    if (!(above > 1e-300)) {
      log_weight = -std::numeric_limits<double>::infinity();
      return Eigen::VectorXd::Zero(k);
    }
    log_weight += std::log(above);
    // From the upper tail down, so that a sliver of it keeps its digits.
    a[i] = std::max(0.0, middle - spread * normal_quantile(above * uniform(static_cast<int>(i))));
  }
  return a;
}

// The same on the median path, or one further up where that leaves the last coordinates no room, as it can with fewer
// points than coordinates: log P(all above zero), nearly.
inline double log_positive_share(const Eigen::VectorXd& mean, const Eigen::MatrixXd& lower, double sd) {
  double share = 0;
  for (const double path : {0.5, 0.9, 0.98, 0.999}) {
    share = 0;
    draw_positive(
        mean, lower, sd, [&](int) { return path; }, share);
    if (std::isfinite(share)) break;
  }
  return share;
}

// The precision, in units of the noise's, of an amplitude's wide prior: three losses. `known_sd`: the noise of log
// loss, 0 where it is not known; it only scales that prior.
inline double amplitude_ridge(double known_sd, double mean_log_loss) {
  constexpr double kWide = 3, kSupposedNoise = 0.01;
  return std::pow((known_sd > 0 ? known_sd : kSupposedNoise) / (kWide * std::exp(mean_log_loss)), 2);
}

}  // namespace bitsweep::fit
