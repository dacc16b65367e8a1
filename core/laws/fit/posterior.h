// Joint draws of a law's parameters: what the points leave open, all basins included. For predictions, intervals, and
// the value of further runs.
//
// For given shapes a law is linear in its amplitudes. The posterior is therefore a grid over the shapes, each cell
// weighed by the points' likelihood with the amplitudes integrated out, and within a cell a normal distribution of the
// amplitudes cut off at zero: no chain has to find its way from one basin to the next. Priors are flat: in the shapes
// over their box, in the amplitudes (shares of the loss in the middle of the points) above zero. The seeds of a
// configuration are one observation; one far from the law counts less. The scale of the noise is integrated out where
// the points can tell it, so that draws spread as Student's t; otherwise it is the stated noise.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <Eigen/Dense>

#include "fit/fit.h"
#include "fit/law.h"

namespace bitsweep::fit {

class Posterior {
 public:
  int size() const { return static_cast<int>(shapes_.rows()); }  // K draws, of equal weight
  const Law& law() const { return *law_; }
  std::vector<NamedValue> params(int draw) const;

  // Loss by each draw at each target, without the noise of a run: [K, T]. A target that the law cannot speak of
  // (Law::missing) has NaN.
  Eigen::MatrixXd predict(const std::vector<Target>& targets) const;

  // Standard deviation of a single run's log loss, a draw each [K].
  const Eigen::ArrayXd& noise() const { return noise_; }
  // Observations − parameters; where it is < 1, the stated noise was taken.
  double freedom() const { return freedom_; }

 private:
  friend std::optional<Posterior> draw_posterior(const std::vector<Point>&, const FitOptions&, int,
                                                 const Eigen::ArrayXd&);
  std::shared_ptr<const Law> law_;
  Eigen::MatrixXd amplitudes_, shapes_;  // [K, terms], [K, shapes]
  Eigen::ArrayXd noise_;
  double freedom_ = 0;
};

// `draws` draws for options.law, a function of the points, the options and options.seed. Works for designs that cannot
// be fitted (too few points, collinear axes): the draws are then as wide as the priors leave them. Nothing when there
// are no points, or some that have no logarithm. `log_fitted`: log L by a robust fit at each point, by which outliers
// are known; empty for none.
std::optional<Posterior> draw_posterior(const std::vector<Point>& points, const FitOptions& options, int draws,
                                        const Eigen::ArrayXd& log_fitted = {});

}  // namespace bitsweep::fit
