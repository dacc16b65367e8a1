#include "fit/optimise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace bitsweep {
namespace {

constexpr double kRounding = 1e-17;  // of the objective: less cannot be won
constexpr double kCoarse = 1e-11;    // for least squares, from which the narrow descents set out
constexpr double kProfile = 1e-12;   // for heights on a profile
constexpr double kNear = 1e-4;       // for least squares on the way from a neighbouring minimum
constexpr int kCoarseIterations = 40;
constexpr int kStageIterations = 4;
constexpr int kIterations = 400;
constexpr size_t kNarrowDescents = 64;        // from distinct least-squares minima
constexpr Eigen::Index kMostSearched = 2000;  // points that all starts descend on
constexpr size_t kDirectDescents = 64;        // from the lowest starts, without the detour over least squares

// Solves (H + μM + a little M) x = b over some parameters, by Cholesky; keeps its memory.
class Solver {
 public:
  // False when the matrix is not positive definite.
  bool factor(const Eigen::MatrixXd& hessian, const Eigen::MatrixXd& majoriser, double mu,
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

  // x, 0 outside of `free`.
  void solve(const Eigen::VectorXd& b, const std::vector<int>& free, Eigen::VectorXd& x) {
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

 private:
  double& at(int row, int column) { return l_[static_cast<size_t>(row) * m_ + column]; }
  int m_ = 0;
  std::vector<double> l_, y_;
};

// Steps longer than a factor e³ in an amplitude or 1 in a shape leave the range in which the model is any guide.
void limit_step(Eigen::VectorXd& step, int terms) {
  const double amplitude = step.head(terms).cwiseAbs().maxCoeff() / 3;
  const double shape = step.size() > terms ? step.tail(step.size() - terms).cwiseAbs().maxCoeff() : 0;
  const double excess = std::max(amplitude, shape);
  if (excess > 1) step /= excess;
}

bool same_basin(const Descent& a, const Descent& b) {
  const double scale = std::max({a.objective, b.objective, 1e-18});  // below, residuals are rounding
  return std::abs(a.objective - b.objective) <= 1e-8 * scale;
}

// Damped Newton on the objective as it stands, over the box or over a plane's part of it.
class Newton {
 public:
  explicit Newton(Objective& objective, const Plane* plane = nullptr) : objective_(objective), plane_(plane) {}

  // Converged: what can still be won is below `tolerance` of the objective.
  void run(Descent& at, double tolerance, int max_iterations) {
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

  // Where the quadratic model at θ expects the lowest point of the plane.
  Eigen::VectorXd expected_on_plane(const Eigen::VectorXd& theta) {
    differentiate(theta);
    free_.resize(theta.size());
    std::iota(free_.begin(), free_.end(), 0);
    if (!solver_.factor(majoriser_, majoriser_, 0, free_)) return theta;
    solver_.solve(plane_->normal, free_, across_);
    const double slope = plane_->normal.dot(across_);
    return slope > 0 ? (theta + across_ * ((plane_->offset - plane_->normal.dot(theta)) / slope)).eval() : theta;
  }

 private:
  double differentiate(const Eigen::VectorXd& theta) {
    return objective_.derivatives(theta, gradient_, hessian_, majoriser_);
  }

  // A parameter rests on its bound when it is there and the descent would leave the box.
  void choose_free(const Eigen::VectorXd& theta) {
    const auto& low = objective_.lower();
    const auto& high = objective_.upper();
    free_.clear();
    double lambda = 0;
    if (plane_) {
      for (int i = 0; i < theta.size(); ++i) {
        if (theta[i] > low[i] && theta[i] < high[i]) free_.push_back(i);
      }
      if (static_cast<Eigen::Index>(free_.size()) < theta.size() && !free_.empty() &&
          solver_.factor(majoriser_, majoriser_, 0, free_)) {
        solver_.solve(plane_->normal, free_, across_);
        const double slope = plane_->normal.dot(across_);
        if (slope > 0) lambda = -gradient_.dot(across_) / slope;
      }
      free_.clear();
    }
    for (int i = 0; i < theta.size(); ++i) {
      const double pull = gradient_[i] + (plane_ ? lambda * plane_->normal[i] : 0);
      if (!((theta[i] <= low[i] && pull > 0) || (theta[i] >= high[i] && pull < 0))) free_.push_back(i);
    }
  }

  bool solve(double mu, const Eigen::VectorXd& theta) {
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
        return (theta[i] <= objective_.lower()[i] && step_[i] < 0) ||
               (theta[i] >= objective_.upper()[i] && step_[i] > 0);
      };
      if (std::erase_if(free_, outward) == 0) return step_.allFinite();
      if (free_.empty()) return false;
    }
  }

  // Into the box: by cutting each parameter off, or on a plane by a shorter step, which stays on it.
  void take_step(const Eigen::VectorXd& theta) {
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
  double predicted_change(double mu) const {
    const int p = static_cast<int>(step_.size());
    double change = gradient_.dot(step_);
    for (int j = 0; j < p; ++j) {
      for (int i = 0; i < p; ++i) change += 0.5 * step_[i] * (hessian_(i, j) + mu * majoriser_(i, j)) * step_[j];
    }
    return change;
  }

  Objective& objective_;
  const Plane* plane_;
  Solver solver_;
  std::vector<int> free_;
  Eigen::VectorXd gradient_, step_, next_, across_;
  Eigen::MatrixXd hessian_, majoriser_;
};

// From wide δ, where the objective is nearly least squares, to the one asked for.
void narrow(Objective& objective, Newton& newton, Descent& at) {
  const double delta = objective.delta();
  double wide = 0.5 * objective.mean_residual(at.theta);
  while (wide > delta && std::isfinite(wide)) {
    objective.set_delta(wide);
    newton.run(at, kRounding, kStageIterations);
    wide = std::min(wide / 4, 0.5 * objective.mean_residual(at.theta));
  }
  objective.set_delta(delta);
  newton.run(at, kRounding, kIterations);
}

// The least-squares minimum near the start.
void coarse(Objective& objective, Newton& newton, Descent& at, double tolerance = kCoarse) {
  const double delta = objective.delta();
  objective.set_delta(std::numeric_limits<double>::infinity());
  newton.run(at, tolerance, kCoarseIterations);
  objective.set_delta(delta);
}

bool same_place(const Descent& a, const Descent& b) {
  return std::abs(a.objective - b.objective) <= 1e-7 * std::max(a.objective, b.objective) + 1e-26 &&
         (a.theta - b.theta).cwiseAbs().maxCoeff() <= 1e-3;
}

}  // namespace

Descent descend_wide(Objective& objective, const Eigen::VectorXd& start) {
  Descent at{start.cwiseMax(objective.lower()).cwiseMin(objective.upper()), 0, 0, false};
  Newton newton(objective);
  coarse(objective, newton, at, kNear);
  narrow(objective, newton, at);
  return at;
}

Descent descend(Objective& objective, const Eigen::VectorXd& start) {
  Descent at{start.cwiseMax(objective.lower()).cwiseMin(objective.upper()), 0, 0, false};
  Newton(objective).run(at, kRounding, kIterations);
  return at;
}

Descent descend_on(Objective& objective, const Plane& plane, const Eigen::VectorXd& from) {
  Newton newton(objective, &plane);
  Descent at{newton.expected_on_plane(from), 0, 0, false};
  // Into the box and back onto the plane by turns; a few rounds find a place that is in both, where there is one.
  for (int round = 0; round < 50; ++round) {
    at.theta = at.theta.cwiseMax(objective.lower()).cwiseMin(objective.upper());
    const double off = plane.offset - plane.normal.dot(at.theta);
    if (std::abs(off) <= 1e-12 * (1 + std::abs(plane.offset))) break;
    if (round == 49) {
      at.objective = std::numeric_limits<double>::infinity();
      return at;
    }
    at.theta += plane.normal * (off / plane.normal.squaredNorm());
  }
  newton.run(at, kProfile, kIterations);
  return at;
}

std::vector<Eigen::VectorXd> grid_of_starts(const Objective& objective) {
  const Law& law = objective.law();
  const auto& shapes = law.shapes();
  const double loss = std::exp(objective.log_loss().mean());
  const auto shares = law.share_starts();
  std::vector<Eigen::VectorXd> starts;
  std::vector<size_t> index(shapes.size(), 0);
  for (bool more = true; more;) {
    Eigen::VectorXd values(shapes.size());
    for (size_t j = 0; j < shapes.size(); ++j) values[j] = shapes[j].starts[index[j]];
    for (const auto& share : shares) {
      const Eigen::VectorXd amplitudes = loss * Eigen::Map<const Eigen::VectorXd>(share.data(), share.size());
      starts.push_back(objective.join(amplitudes, values));
    }
    more = false;
    for (size_t j = 0; j < shapes.size() && !more; ++j) {
      if (++index[j] < shapes[j].starts.size())
        more = true;
      else
        index[j] = 0;
    }
  }
  return starts;
}

namespace {

struct Arrivals {
  Descent at;
  int count = 0;
};

void sort_by_objective(std::vector<Arrivals>& all) {
  std::stable_sort(all.begin(), all.end(),
                   [](const Arrivals& a, const Arrivals& b) { return a.at.objective < b.at.objective; });
}

// Least squares from every start; those that meet are one from there on, because a descent is a function of where it
// is.
std::vector<Arrivals> coarse_minima(Objective& objective, const std::vector<Eigen::VectorXd>& starts) {
  std::vector<Arrivals> ends;
  Newton newton(objective);
  for (const auto& start : starts) {
    Descent at{start, 0, 0, false};
    coarse(objective, newton, at);
    if (!std::isfinite(at.objective)) continue;
    const auto met = std::find_if(ends.begin(), ends.end(), [&](const Arrivals& e) { return same_place(e.at, at); });
    if (met == ends.end())
      ends.push_back({std::move(at), 1});
    else
      ++met->count;
  }
  sort_by_objective(ends);
  if (ends.size() > kNarrowDescents) ends.resize(kNarrowDescents);
  return ends;
}

std::vector<Arrivals> lowest_starts(Objective& objective, const std::vector<Eigen::VectorXd>& starts) {
  std::vector<Arrivals> all;
  for (const auto& start : starts) {
    const double value = objective.value(start);
    if (std::isfinite(value)) all.push_back({{start, value, 0, false}, 1});
  }
  sort_by_objective(all);
  if (all.size() > kDirectDescents) all.resize(kDirectDescents);
  return all;
}

// Every so many points, that kMostSearched or fewer remain.
Objective thinned(const Objective& objective) {
  Eigen::ArrayXd weights = objective.weights();
  const Eigen::Index every = weights.size() / (kMostSearched + 1) + 1;
  for (Eigen::Index i = 0; i < weights.size(); ++i) {
    if (i % every != 0) weights[i] = 0;
  }
  return objective.resampled(weights);
}

}  // namespace

Optimum minimise(Objective& objective, const std::vector<Eigen::VectorXd>& starts) {
  Optimum optimum;
  Newton newton(objective);
  // So many points do not change where basins are: a part of them tells the starts apart, all of them the minima.
  const bool thin = objective.log_loss().size() > kMostSearched;
  Objective part = thin ? thinned(objective) : objective;
  std::vector<Arrivals> ends = coarse_minima(part, starts);
  for (size_t i = 0; thin && i < ends.size(); ++i) coarse(objective, newton, ends[i].at);
  if (thin) sort_by_objective(ends);
  if (!ends.empty()) {
    Descent sharp = ends[0].at;
    const double delta = objective.delta();
    objective.set_delta(std::numeric_limits<double>::infinity());
    newton.run(sharp, kRounding, kIterations);
    objective.set_delta(delta);
    optimum.least_squares = sharp.objective;
  }
  for (Arrivals& end : ends) narrow(objective, newton, end.at);
  std::vector<Arrivals> direct = lowest_starts(part, starts);
  optimum.starts = static_cast<int>(starts.size() + direct.size());
  for (Arrivals& end : direct) {
    newton.run(end.at, kRounding, kIterations);
    ends.push_back(std::move(end));
  }
  sort_by_objective(ends);
  for (Arrivals& end : ends) {
    if (!std::isfinite(end.at.objective)) continue;
    if (optimum.basins.empty() || !same_basin(optimum.basins.back(), end.at)) {
      // A descent that ran out of iterations is no minimum, unless nothing is lower.
      if (!end.at.converged && !optimum.basins.empty()) continue;
      optimum.basins.push_back(std::move(end.at));
      optimum.arrivals.push_back(0);
    }
    // Descents of one minimum differ by rounding; one of them that could show it had arrived speaks for all.
    optimum.basins.back().converged |= end.at.converged;
    optimum.arrivals.back() += end.count;
  }
  if (!optimum.arrivals.empty()) optimum.starts_at_best = optimum.arrivals[0];
  return optimum;
}

}  // namespace bitsweep
