// Joint draws of the loss over its sizes, as far as runs know it: a law, and what the law misses (discrepancy.h). For
// every prediction of a run that is not one of the points.
//
// As in posterior.h: a grid over the law's shapes, amplitudes (above zero) and the noise integrated out. Here the
// points' errors are correlated, by how much is integrated out as well, and what the law misses among the points is
// carried on to their surroundings: predictions pass through what was measured, and fall back on the law, wider,
// beyond.
//
// Over many published tables, the largest fifth of each held out, these intervals hold 95 % of the runs, where those of
// the law alone hold half (README.md).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <Eigen/Dense>

#include "fit/discrepancy.h"
#include "fit/fit.h"
#include "fit/law.h"

namespace bitsweep::fit {

class Surface {
 public:
  int size() const { return static_cast<int>(shapes_.rows()); }  // K draws, of equal weight

  // Loss by each draw at each target, drawn together for all of them, without the noise of a run: [K, T]. A target that
  // the law cannot speak of (Law::missing) has NaN.
  Eigen::MatrixXd predict(const std::vector<Target>& targets) const;

  // Standard deviation of a single run's log loss, a draw each [K].
  const Eigen::ArrayXd& noise() const { return noise_; }
  // Observations − parameters; where it is < 1, the stated noise was taken.
  double freedom() const { return freedom_; }
  // What the law misses at the observations, of log loss: root mean square, the mean over draws.
  double misfit() const { return misfit_; }
  uint64_t seed() const { return seed_; }

 private:
  friend class SurfaceDrawing;
  std::shared_ptr<const Law> law_;
  std::shared_ptr<const DiscrepancyPlaces> places_;
  std::vector<DiscrepancyScale> scales_;
  std::vector<int> scale_of_;            // into scales_, a draw each
  Eigen::MatrixXd amplitudes_, shapes_;  // [K, terms], [K, shapes]
  Eigen::MatrixXd pulls_;                // covariance⁻¹·residual of log loss at the observations: [n, K]
  Eigen::ArrayXd noise_;
  double freedom_ = 0, misfit_ = 0;
  uint64_t seed_ = 0;
};

// `draws` draws for options.law, a function of the points, the options and options.seed; as draw_posterior() takes
// them. Nothing where draw_posterior() gives nothing, or where points are checkpoints of runs.
std::optional<Surface> draw_surface(const std::vector<Point>& points, const FitOptions& options, int draws,
                                    const Eigen::ArrayXd& log_fitted = {}, double discrepancy = kDiscrepancyPrior);

// What a new run at each target will measure: the median, and the interval of this confidence with a run's noise in it.
struct RunForecast {
  double expected = 0;
  Interval interval;
};
std::vector<RunForecast> forecast(const Surface& surface, const std::vector<Target>& targets, double confidence);

// The middle `confidence` of draws of a loss [K], each with the noise of its draw [K]. `number` tells apart what is
// drawn.
Interval spread_with_noise(const Eigen::VectorXd& losses, const Eigen::ArrayXd& noise, double confidence, uint64_t seed,
                           uint64_t number);

}  // namespace bitsweep::fit
