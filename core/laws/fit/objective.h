// The sum of Huber losses of log-loss residuals, with its exact gradient and Hessian in θ = (log amplitudes, shapes).
#pragma once

#include <vector>

#include <Eigen/Dense>

#include "fit/law.h"

namespace bitsweep::fit {

// ρ_δ(r) = r²/2 for |r| <= δ, else δ(|r| − δ/2). δ = infinity: least squares.
double huber(double residual, double delta);

// A law bound to data. Points carry weights, so that a bootstrap resample is a vector of weights and nothing is copied.
// Not thread-safe: it keeps its working memory, and evaluations allocate nothing.
class Objective {
 public:
  Objective(const Law& law, const std::vector<Point>& points, double delta);

  const Law& law() const { return law_; }
  int terms() const { return static_cast<int>(law_.terms().size()); }
  int dimension() const { return law_.dimension(); }
  const Eigen::ArrayXd& log_loss() const { return log_loss_; }  // [n]
  const Eigen::ArrayXXd& coordinates() const { return coordinates_; }
  const Eigen::ArrayXd& weights() const { return weights_; }  // [n], 1 at first
  void set_weights(const Eigen::ArrayXd& weights) { weights_ = weights; }
  // The same law and δ over the points whose weight is not zero: a resample, in which a third of the points is absent.
  Objective resampled(const Eigen::ArrayXd& weights) const;
  double delta() const { return delta_; }
  void set_delta(double delta) { delta_ = delta; }

  // Box of θ. An amplitude may fall to 1e-13 of the smallest loss, which no objective can tell from zero.
  const Eigen::VectorXd& lower() const { return lower_; }
  const Eigen::VectorXd& upper() const { return upper_; }

  // +infinity where the law gives no positive finite loss.
  double value(const Eigen::VectorXd& theta);
  // The value; with the gradient [p], the Hessian [p, p] and a positive semi-definite majoriser of its curvature
  // (iteratively reweighted least squares) that also tells the scale of each parameter.
  double derivatives(const Eigen::VectorXd& theta, Eigen::VectorXd& gradient, Eigen::MatrixXd& hessian,
                     Eigen::MatrixXd& majoriser);

  // Mean of |log L − log loss|, weighted. Infinity where the law has no logarithm.
  double mean_residual(const Eigen::VectorXd& theta);

  // log L by the law at the points [n], and its Jacobian [n, p].
  Eigen::ArrayXd predict(const Eigen::VectorXd& theta);
  Eigen::MatrixXd jacobian(const Eigen::VectorXd& theta);

  Eigen::VectorXd amplitudes(const Eigen::VectorXd& theta) const { return theta.head(terms()).array().exp(); }
  Eigen::VectorXd shapes(const Eigen::VectorXd& theta) const { return theta.tail(dimension() - terms()); }
  Eigen::VectorXd join(const Eigen::VectorXd& amplitudes, const Eigen::VectorXd& shapes) const;

 private:
  Eigen::Index size() const { return log_loss_.size(); }
  // Basis, losses and residuals at θ; false where the law has no logarithm. Nothing is done where they stand already.
  bool residuals(const Eigen::VectorXd& theta);
  void fill_jacobian();
  // ∂²L/∂s_l∂s_j, l <= j, in the basis.
  const Eigen::ArrayXXd& second(int j, int l) const { return basis_.second[j * (j + 1) / 2 + l]; }

  const Law& law_;
  Eigen::ArrayXXd coordinates_;
  Eigen::ArrayXd log_loss_, weights_;
  double delta_;
  Eigen::VectorXd lower_, upper_;

  std::vector<std::vector<int>> terms_of_;  // by shape: the terms that depend on it

  Basis basis_;
  Eigen::VectorXd theta_;  // where the following stand
  bool sound_ = false;     // the law has a logarithm there
  Eigen::VectorXd amplitudes_, shapes_;
  Eigen::ArrayXd loss_, residual_, pull_, pull_share_, flat_, curved_, scaled_;
  Eigen::MatrixXd jacobian_;
};

// The condition number of a Jacobian whose columns are scaled to length 1; infinity with less rows than columns.
double condition_number(const Eigen::MatrixXd& jacobian);

}  // namespace bitsweep::fit
