// What a law may miss: a Gaussian process over the logarithms of its sizes, added to the law's log loss.
//
// Every scaling law is wrong somewhere by a smooth per cent or so (a bent exponent, small sizes tuned less well). Noise
// that is independent from run to run averages away as 1/√n and leaves intervals that are far too narrow beyond the
// runs; a discrepancy does not (Kennedy, O'Hagan 2001). Its size is a ratio to the noise, of a handful: what the points
// say of it weighs them. Its kernel is a Matérn of 3/2, whose length is fixed: with this kernel size and length hardly
// tell apart inside of the points, and a longer one lets the process take over the law's trend and carry it on beyond
// them.
#pragma once

#include <string>
#include <vector>

#include <Eigen/Dense>

#include "fit/law.h"

namespace bitsweep::fit {

inline constexpr double kDiscrepancyLength = 2;    // of a natural logarithm: a factor of seven in size or tokens
inline constexpr double kDiscrepancyPrior = 0.02;  // sd of the discrepancy's size: laws are wrong by a few per cent

// Places as the process sees them.
class DiscrepancyPlaces {
 public:
  DiscrepancyPlaces(const Law& law, const std::vector<Point>& points);
  // Correlations between these places and others: [this, other].
  Eigen::MatrixXd correlation(const DiscrepancyPlaces& other) const;

 private:
  Eigen::MatrixXd at_;               // [n, axes], logarithms
  std::vector<std::string> labels_;  // of what the law pools; what differs in it shares half
};

// The covariance of observations, in units of a run's noise variance: ratio²·K + diag(1/weights).
struct DiscrepancyScale {
  double ratio = 0;  // sd of the discrepancy / sd of a run's noise
  Eigen::LLT<Eigen::MatrixXd> factor;
  double log_determinant = 0;  // half of it
};
// One for each ratio of the prior, ascending.
std::vector<DiscrepancyScale> discrepancy_scales(const Eigen::MatrixXd& correlation, const Eigen::ArrayXd& weights);

}  // namespace bitsweep::fit
