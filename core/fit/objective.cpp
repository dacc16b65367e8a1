#include "fit/objective.h"

#include <cmath>
#include <limits>

#include "fit/kernels.h"

namespace bitsweep {

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
  }
}

Eigen::VectorXd Objective::join(const Eigen::VectorXd& amplitudes, const Eigen::VectorXd& shapes) const {
  Eigen::VectorXd theta(dimension());
  theta << amplitudes.array().log().matrix(), shapes;
  return theta.cwiseMax(lower_).cwiseMin(upper_);
}

// False where the law has no logarithm. After it, loss_ and residual_ hold.
bool Objective::residuals(const Eigen::VectorXd& theta, int order) {
  amplitudes_ = theta.head(terms()).array().exp();
  shapes_ = theta.tail(dimension() - terms());
  law_.evaluate(coordinates_, shapes_, order, basis_);
  return mix(basis_.value.data(), amplitudes_.data(), terms(), log_loss_.data(), loss_.data(), residual_.data(),
             size());
}

double Objective::value(const Eigen::VectorXd& theta) {
  if (!residuals(theta, 0)) return std::numeric_limits<double>::infinity();
  return huber_sum(residual_.data(), weights_.data(), delta_, size());
}

void Objective::fill_jacobian() {
  const int k = terms(), p = dimension();
  jacobian_.resize(size(), p);
  for (int i = 0; i < k; ++i)
    mix_share(basis_.value.col(i).data(), &amplitudes_[i], 1, loss_.data(), jacobian_.col(i).data(), size());
  for (int j = k; j < p; ++j)
    mix_share(basis_.first[j - k].data(), amplitudes_.data(), k, loss_.data(), jacobian_.col(j).data(), size());
}

double Objective::derivatives(const Eigen::VectorXd& theta, Eigen::VectorXd& gradient, Eigen::MatrixXd& hessian,
                              Eigen::MatrixXd& majoriser) {
  const int k = terms(), p = dimension();
  const Eigen::Index n = size();
  if (!residuals(theta, 2)) return std::numeric_limits<double>::infinity();
  fill_jacobian();
  pull_.resize(n), pull_share_.resize(n), flat_.resize(n), curved_.resize(n);
  huber_weights(residual_.data(), weights_.data(), loss_.data(), delta_, pull_.data(), pull_share_.data(), flat_.data(),
                curved_.data(), n);
  gradient.resize(p), hessian.resize(p, p), majoriser.resize(p, p);
  for (int i = 0; i < p; ++i) gradient[i] = dot(jacobian_.col(i).data(), pull_.data(), n);
  // Reweighted least squares, and ∇²(log L) = ∇²L / L − J Jᵀ with ρ'' = 1 inside of δ, 0 outside.
  two_grams(jacobian_.data(), p, flat_.data(), curved_.data(), majoriser.data(), hessian.data(), n);
  for (int i = 0; i < k; ++i) hessian(i, i) += gradient[i];  // ∂²L/∂θ_i² = ∂L/∂θ_i for the logarithm of an amplitude
  for (int j = k; j < p; ++j) {
    for (int i = 0; i < k; ++i)
      hessian(j, i) += amplitudes_[i] * dot(pull_share_.data(), basis_.first[j - k].col(i).data(), n);
    for (int l = k; l <= j; ++l) {
      const auto& second = basis_.second[(j - k) * (j - k + 1) / 2 + (l - k)];
      for (int i = 0; i < k; ++i) hessian(j, l) += amplitudes_[i] * dot(pull_share_.data(), second.col(i).data(), n);
    }
  }
  for (int i = 0; i < p; ++i) {
    for (int j = 0; j < i; ++j) hessian(j, i) = hessian(i, j), majoriser(j, i) = majoriser(i, j);
  }
  return huber_sum(residual_.data(), weights_.data(), delta_, n);
}

double Objective::mean_residual(const Eigen::VectorXd& theta) {
  if (!residuals(theta, 0)) return std::numeric_limits<double>::infinity();
  return (weights_ * residual_.abs()).sum() / weights_.sum();
}

Eigen::ArrayXd Objective::predict(const Eigen::VectorXd& theta) {
  residuals(theta, 0);
  return residual_ + log_loss_;
}

Eigen::MatrixXd Objective::jacobian(const Eigen::VectorXd& theta) {
  residuals(theta, 1);
  fill_jacobian();
  return jacobian_;
}

}  // namespace bitsweep
