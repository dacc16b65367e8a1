#include "fit/newton.h"

#include <algorithm>
#include <cmath>

namespace bitsweep::fit {
namespace {

// Steps longer than a factor e³ in an amplitude or 1 in a shape leave the range in which the model is any guide.
void limit_step(Eigen::VectorXd& step, int terms) {
  const double amplitude = step.head(terms).cwiseAbs().maxCoeff() / 3;
  const double shape = step.size() > terms ? step.tail(step.size() - terms).cwiseAbs().maxCoeff() : 0;
  const double excess = std::max(amplitude, shape);
  if (excess > 1) step /= excess;
}

}  // namespace

bool Solver::factor(const Eigen::MatrixXd& hessian, const Eigen::MatrixXd& majoriser, double mu,
                    const std::vector<int>& free) {
  m_ = static_cast<int>(free.size());
  l_.resize(static_cast<size_t>(m_) * m_);
  for (int a = 0; a < m_; ++a) {
    for (int b = 0; b <= a; ++b) {
      double sum = hessian(free[a], free[b]) + mu * majoriser(free[a], free[b]);
      // The majoriser is singular when the points do not determine a parameter; this keeps the step finite.
      if (a == b) sum += (1e-12 + 1e-9 * mu) * majoriser(free[a], free[a]) + 1e-300;
      for (int k = 0; k < b; ++k) sum -= at(a, k) * at(b, k);
      if (a != b) {
        at(a, b) = sum / at(b, b);
      } else {
        if (!(sum > 0) || !std::isfinite(sum)) return false;
        at(a, a) = std::sqrt(sum);
      }
    }
  }
  return true;
}

void Solver::solve(const Eigen::VectorXd& b, const std::vector<int>& free, Eigen::VectorXd& x) {
  y_.resize(m_);
  for (int a = 0; a < m_; ++a) {
    double sum = b[free[a]];
    for (int k = 0; k < a; ++k) sum -= at(a, k) * y_[k];
    y_[a] = sum / at(a, a);
  }
  x.setZero(b.size());
  for (int a = m_ - 1; a >= 0; --a) {
    double sum = y_[a];
    for (int k = a + 1; k < m_; ++k) sum -= at(k, a) * x[free[k]];
    x[free[a]] = sum / at(a, a);
  }
}

void Newton::run(Descent& at, double tolerance, int max_iterations) {
  const double n = static_cast<double>(objective_.log_loss().size());
  at.converged = false;
  at.objective = differentiate(at.theta);
  if (!std::isfinite(at.objective)) return;
  double mu = 1;
  for (int used = 0; used < max_iterations; ++used, ++at.iterations) {
    choose_free(at.theta);
    // Residuals at the level of rounding: nothing is left to lower.
    at.converged = free_.empty() || at.objective <= n * 1e-31;
    bool moved = false;
    while (!at.converged && !moved && mu < 1e16) {
      if (!solve(mu, at.theta)) {
        mu = std::max(4 * mu, 1e-8);
        continue;
      }
      limit_step(step_, objective_.terms());
      take_step(at.theta);
      at.converged = mu <= 1 && -0.5 * gradient_.dot(step_) <= tolerance * at.objective;
      if (at.converged) break;
      const double expected = -predicted_change(mu);
      const double gain = at.objective - objective_.value(next_);
      moved = gain > 0 && gain > 1e-4 * expected;
      mu = !moved ? std::max(6 * mu, 1e-8) : gain > 0.75 * expected ? mu / 8 : gain > 0.25 * expected ? mu : 3 * mu;
      if (mu < 1e-10) mu = 0;
    }
    if (!moved) {
      // No step helps: at the minimum by rounding, or caught in a kink.
      at.converged |= solve(1, at.theta) && -0.5 * gradient_.dot(step_) <= 1e-11 * at.objective;
      return;
    }
    at.theta = next_;
    at.objective = differentiate(next_);
  }
}

Eigen::VectorXd Newton::expected_on_plane(const Eigen::VectorXd& theta) {
  differentiate(theta);
  // An amplitude that is next to nothing has next to no curvature either: the model would move it by any factor.
  free_.clear();
  for (int i = 0; i < theta.size(); ++i) {
    if (i >= objective_.terms() || theta[i] > objective_.lower()[i] + 1) free_.push_back(i);
  }
  if (!solver_.factor(majoriser_, majoriser_, 0, free_)) return theta;
  solver_.solve(plane_->normal, free_, across_);
  const double slope = plane_->normal.dot(across_);
  return slope > 0 ? (theta + across_ * ((plane_->offset - plane_->normal.dot(theta)) / slope)).eval() : theta;
}

double Newton::differentiate(const Eigen::VectorXd& theta) {
  return objective_.derivatives(theta, gradient_, hessian_, majoriser_);
}

// The multiplier of the plane's normal in the gradient, by the parameters inside of the box; 0 where all are.
double Newton::slope_along_plane(const Eigen::VectorXd& theta) {
  free_.clear();
  for (int i = 0; i < theta.size(); ++i) {
    if (theta[i] > objective_.lower()[i] && theta[i] < objective_.upper()[i]) free_.push_back(i);
  }
  if (static_cast<Eigen::Index>(free_.size()) == theta.size() || free_.empty() ||
      !solver_.factor(majoriser_, majoriser_, 0, free_))
    return 0;
  solver_.solve(plane_->normal, free_, across_);
  const double slope = plane_->normal.dot(across_);
  return slope > 0 ? -gradient_.dot(across_) / slope : 0;
}

// A parameter rests on its bound when it is there and the descent would leave the box.
void Newton::choose_free(const Eigen::VectorXd& theta) {
  const double lambda = plane_ ? slope_along_plane(theta) : 0;
  free_.clear();
  for (int i = 0; i < theta.size(); ++i) {
    const bool low = theta[i] <= objective_.lower()[i], high = theta[i] >= objective_.upper()[i];
    const double pull = gradient_[i] + (plane_ ? lambda * plane_->normal[i] : 0);
    // On a plane an amplitude at its floor stays there: so small, it has no slope to tell which way it would go, and
    // descend_on tries from above.
    const bool floor = plane_ && low && i < objective_.terms();
    if (!(floor || (low && pull > 0) || (high && pull < 0))) free_.push_back(i);
  }
}

bool Newton::solve(double mu, const Eigen::VectorXd& theta) {
  for (;;) {
    if (!solver_.factor(hessian_, majoriser_, mu, free_)) return false;
    solver_.solve(-gradient_, free_, step_);
    if (!plane_) return step_.allFinite();
    solver_.solve(plane_->normal, free_, across_);
    const double slope = plane_->normal.dot(across_);
    if (!(slope > 0)) return false;
    step_ -= across_ * (plane_->normal.dot(step_) / slope);
    // A step on a plane cannot be cut off at the box: what would leave it stays where it is.
    const auto outward = [&](int i) {
      return (theta[i] <= objective_.lower()[i] && step_[i] < 0) || (theta[i] >= objective_.upper()[i] && step_[i] > 0);
    };
    if (std::erase_if(free_, outward) == 0) return step_.allFinite();
    if (free_.empty()) return false;
  }
}

// Into the box: by cutting each parameter off, or on a plane by a shorter step, which stays on it.
void Newton::take_step(const Eigen::VectorXd& theta) {
  if (plane_) {
    double share = 1;
    for (int i = 0; i < theta.size(); ++i) {
      const double room = step_[i] > 0 ? objective_.upper()[i] - theta[i] : theta[i] - objective_.lower()[i];
      if (std::abs(step_[i]) * share > room) share = std::max(0.0, room / std::abs(step_[i]));
    }
    step_ *= share;
  }
  next_ = (theta + step_).cwiseMax(objective_.lower()).cwiseMin(objective_.upper());
  step_ = next_ - theta;
}

// By the damped model. The undamped one expects far too much where the objective is all but linear with kinks.
double Newton::predicted_change(double mu) const {
  const int p = static_cast<int>(step_.size());
  double change = gradient_.dot(step_);
  for (int j = 0; j < p; ++j) {
    for (int i = 0; i < p; ++i) change += 0.5 * step_[i] * (hessian_(i, j) + mu * majoriser_(i, j)) * step_[j];
  }
  return change;
}

}  // namespace bitsweep::fit
