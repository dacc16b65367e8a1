#include "fit/objective.h"

#include <cmath>
#include <limits>

namespace bitsweep {

double huber(double residual, double delta) {
  const double size = std::abs(residual);
  return size <= delta ? 0.5 * size * size : delta * (size - 0.5 * delta);
}

Objective::Objective(const Law& law, const std::vector<Point>& points, double delta)
    : law_(law), coordinates_(law.coordinates(points)), log_loss_(points.size()), delta_(delta) {
  for (size_t i = 0; i < points.size(); ++i) log_loss_[i] = std::log(points[i].loss);
  weights_ = Eigen::ArrayXd::Ones(log_loss_.size());
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
  loss_ = (basis_.value.matrix() * amplitudes_).array();
  if (!(loss_ > 0).all()) return false;
  residual_ = loss_.log() - log_loss_;
  return residual_.isFinite().all();
}

double Objective::value(const Eigen::VectorXd& theta) {
  if (!residuals(theta, 0)) return std::numeric_limits<double>::infinity();
  if (std::isinf(delta_)) return 0.5 * (weights_ * residual_.square()).sum();
  // ρ = m(|r| − m/2) with m = min(|r|, δ): both branches at once.
  const auto clipped = residual_.abs().min(delta_);
  return (weights_ * clipped * (residual_.abs() - 0.5 * clipped)).sum();
}

void Objective::fill_jacobian() {
  const Eigen::Index n = loss_.size();
  const int k = terms(), p = dimension();
  jacobian_.resize(n, p);
  for (int i = 0; i < k; ++i) jacobian_.col(i) = amplitudes_[i] * (basis_.value.col(i) / loss_);
  for (int j = k; j < p; ++j)
    jacobian_.col(j) = ((basis_.first[j - k].matrix() * amplitudes_).array() / loss_).matrix();
}

double Objective::derivatives(const Eigen::VectorXd& theta, Eigen::VectorXd& gradient, Eigen::MatrixXd& hessian,
                              Eigen::MatrixXd& majoriser) {
  const int k = terms(), p = dimension();
  if (!residuals(theta, 2)) return std::numeric_limits<double>::infinity();
  fill_jacobian();
  const auto size = residual_.abs();
  pull_ = weights_ * residual_.max(-delta_).min(delta_);  // w ψ(r)
  const double value = (pull_.abs() * size - 0.5 * weights_ * size.min(delta_).square()).sum();
  gradient = jacobian_.transpose() * pull_.matrix();

  // Weights of reweighted least squares: ψ(r)/r.
  scaled_ = ((weights_ * (size > delta_).select(delta_ / size, 1.0)).matrix()).asDiagonal() * jacobian_;
  majoriser.noalias() = jacobian_.transpose() * scaled_;

  // ∇²(log L) = ∇²L / L − J Jᵀ, and ρ'' = 1 inside of δ, 0 outside.
  scaled_ =
      ((weights_ * (size <= delta_).select(Eigen::ArrayXd::Ones(size.size()), 0.0) - pull_).matrix()).asDiagonal() *
      jacobian_;
  hessian.noalias() = jacobian_.transpose() * scaled_;
  pull_ /= loss_;
  for (int i = 0; i < k; ++i) hessian(i, i) += amplitudes_[i] * (pull_ * basis_.value.col(i)).sum();
  for (int j = k; j < p; ++j) {
    for (int i = 0; i < k; ++i) {
      const double cross = amplitudes_[i] * (pull_ * basis_.first[j - k].col(i)).sum();
      hessian(i, j) += cross, hessian(j, i) += cross;
    }
    for (int l = k; l <= j; ++l) {
      const auto& second = basis_.second[(j - k) * (j - k + 1) / 2 + (l - k)];
      const double curve = (second.matrix().transpose() * pull_.matrix()).dot(amplitudes_);
      hessian(j, l) += curve;
      if (l != j) hessian(l, j) += curve;
    }
  }
  return value;
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
