#include "fit/objective.h"

#include <cmath>
#include <limits>

#include "fit/kernels.h"

namespace bitsweep::fit {

double huber(double residual, double delta) {
  const double size = std::abs(residual);
  return size <= delta ? 0.5 * size * size : delta * (size - 0.5 * delta);
}

Objective::Objective(const Law& law, const std::vector<Point>& points, double delta)
    : law_(law), coordinates_(law.coordinates(points)), log_loss_(points.size()), delta_(delta) {
  for (size_t i = 0; i < points.size(); ++i) log_loss_[i] = std::log(points[i].loss);
  weights_ = Eigen::ArrayXd::Ones(log_loss_.size());
  loss_.resize(log_loss_.size()), residual_.resize(log_loss_.size());
  lower_.resize(dimension()), upper_.resize(dimension());
  const double smallest = log_loss_.size() > 0 ? log_loss_.minCoeff() : 0;
  const double largest = log_loss_.size() > 0 ? log_loss_.maxCoeff() : 0;
  lower_.head(terms()).setConstant(smallest - 30);
  upper_.head(terms()).setConstant(largest + 30);
  for (size_t j = 0; j < law.shapes().size(); ++j) {
    lower_[terms() + j] = law.shapes()[j].lower;
    upper_[terms() + j] = law.shapes()[j].upper;
    terms_of_.emplace_back();
    for (int k = 0; k < terms(); ++k) {
      if (law.depends(k, static_cast<int>(j))) terms_of_.back().push_back(k);
    }
  }
}

Objective Objective::resampled(const Eigen::ArrayXd& weights) const {
  Objective some = *this;
  std::vector<Eigen::Index> kept;
  for (Eigen::Index i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) kept.push_back(i);
  }
  const Eigen::Index n = static_cast<Eigen::Index>(kept.size());
  some.coordinates_.resize(n, coordinates_.cols());
  some.log_loss_.resize(n), some.weights_.resize(n), some.loss_.resize(n), some.residual_.resize(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    some.coordinates_.row(i) = coordinates_.row(kept[i]);
    some.log_loss_[i] = log_loss_[kept[i]];
    some.weights_[i] = weights[kept[i]];
  }
  some.theta_.resize(0);
  some.basis_ = {};
  return some;
}

Eigen::VectorXd Objective::join(const Eigen::VectorXd& amplitudes, const Eigen::VectorXd& shapes) const {
  Eigen::VectorXd theta(dimension());
  theta << amplitudes.array().log().matrix(), shapes;
  return theta.cwiseMax(lower_).cwiseMin(upper_);
}

// With derivatives of the basis at once: they are multiples of what costs, and most values are asked for where a step
// is taken next.
bool Objective::residuals(const Eigen::VectorXd& theta) {
  if (theta_.size() == theta.size() && theta_ == theta) return sound_;
  theta_ = theta;
  amplitudes_ = theta.head(terms()).array().exp();
  shapes_ = theta.tail(dimension() - terms());
  law_.evaluate(coordinates_, shapes_, 2, basis_);
  sound_ =
      mix(basis_.value.data(), amplitudes_.data(), terms(), log_loss_.data(), loss_.data(), residual_.data(), size());
  return sound_;
}

double Objective::value(const Eigen::VectorXd& theta) {
  if (!residuals(theta)) return std::numeric_limits<double>::infinity();
  return huber_sum(residual_.data(), weights_.data(), delta_, size());
}

void Objective::fill_jacobian() {
  const int k = terms(), p = dimension();
  jacobian_.resize(size(), p);
  for (int i = 0; i < k; ++i)
    add_share(basis_.value.col(i).data(), amplitudes_[i], loss_.data(), false, jacobian_.col(i).data(), size());
  for (int j = k; j < p; ++j) {
    bool add = false;
    for (const int i : terms_of_[j - k]) {
      add_share(basis_.first[j - k].col(i).data(), amplitudes_[i], loss_.data(), add, jacobian_.col(j).data(), size());
      add = true;
    }
  }
}

double Objective::derivatives(const Eigen::VectorXd& theta, Eigen::VectorXd& gradient, Eigen::MatrixXd& hessian,
                              Eigen::MatrixXd& majoriser) {
  const int k = terms(), p = dimension();
  const Eigen::Index n = size();
  if (!residuals(theta)) return std::numeric_limits<double>::infinity();
  fill_jacobian();
  pull_.resize(n), pull_share_.resize(n), flat_.resize(n), curved_.resize(n), scaled_.resize(2 * n);
  huber_weights(residual_.data(), weights_.data(), loss_.data(), delta_, pull_.data(), pull_share_.data(), flat_.data(),
                curved_.data(), n);
  gradient.resize(p), hessian.resize(p, p), majoriser.resize(p, p);
  for (int i = 0; i < p; ++i) gradient[i] = dot(jacobian_.col(i).data(), pull_.data(), n);
  // Reweighted least squares, and ∇²(log L) = ∇²L / L − J Jᵀ with ρ'' = 1 inside of δ, 0 outside.
  two_grams(jacobian_.data(), p, flat_.data(), curved_.data(), scaled_.data(), majoriser.data(), hessian.data(), n);
  for (int i = 0; i < k; ++i) hessian(i, i) += gradient[i];  // ∂²L/∂θ_i² = ∂L/∂θ_i for the logarithm of an amplitude
  for (int j = 0; j < p - k; ++j) {
    for (const int i : terms_of_[j]) {
      hessian(k + j, i) += amplitudes_[i] * dot(pull_share_.data(), basis_.first[j].col(i).data(), n);
      for (int l = 0; l <= j; ++l) {
        if (law_.depends(i, l))
          hessian(k + j, k + l) += amplitudes_[i] * dot(pull_share_.data(), second(j, l).col(i).data(), n);
      }
    }
  }
  for (int i = 0; i < p; ++i) {
    for (int j = 0; j < i; ++j) hessian(j, i) = hessian(i, j), majoriser(j, i) = majoriser(i, j);
  }
  return huber_sum(residual_.data(), weights_.data(), delta_, n);
}

double Objective::mean_residual(const Eigen::VectorXd& theta) {
  if (!residuals(theta)) return std::numeric_limits<double>::infinity();
  return (weights_ * residual_.abs()).sum() / weights_.sum();
}

Eigen::ArrayXd Objective::predict(const Eigen::VectorXd& theta) {
  residuals(theta);
  return residual_ + log_loss_;
}

Eigen::MatrixXd Objective::jacobian(const Eigen::VectorXd& theta) {
  residuals(theta);
  fill_jacobian();
  return jacobian_;
}

double condition_number(const Eigen::MatrixXd& jacobian) {
  Eigen::MatrixXd scaled = jacobian;
  for (Eigen::Index j = 0; j < scaled.cols(); ++j) {
    const double length = scaled.col(j).norm();
    if (length > 0) scaled.col(j) /= length;
  }
  const Eigen::VectorXd values = scaled.jacobiSvd().singularValues();
  const double smallest = values[values.size() - 1];
  return scaled.rows() < scaled.cols() || smallest <= 0 ? HUGE_VAL : values[0] / smallest;
}

}  // namespace bitsweep::fit
