#include "fit/optimise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace bitsweep {
namespace {

constexpr double kRounding = 1e-17;  // of the objective: less cannot be won
constexpr double kCoarse = 1e-11;    // for least squares, from which the narrow descents set out
constexpr int kCoarseIterations = 40;
constexpr int kStageIterations = 4;
constexpr int kIterations = 400;
constexpr size_t kNarrowDescents = 64;  // from distinct least-squares minima
constexpr size_t kDirectDescents = 64;  // from the lowest starts, without the detour over least squares

// The derivatives at a point of a descent.
struct Model {
  Eigen::VectorXd gradient;
  Eigen::MatrixXd hessian, majoriser;
};

// A parameter rests on its bound when it is there and the descent would leave the box.
bool held(const Objective& objective, const Eigen::VectorXd& theta, const Eigen::VectorXd& gradient, int i) {
  return (theta[i] <= objective.lower()[i] && gradient[i] > 0) || (theta[i] >= objective.upper()[i] && gradient[i] < 0);
}

// Solves (H + μM) s = −g over the free parameters; false when the matrix is not positive definite.
bool solve_step(const Model& model, const std::vector<int>& free, double mu, Eigen::VectorXd& step) {
  const int m = static_cast<int>(free.size());
  Eigen::MatrixXd matrix(m, m);
  Eigen::VectorXd rhs(m);
  for (int a = 0; a < m; ++a) {
    rhs[a] = -model.gradient[free[a]];
    for (int b = 0; b < m; ++b) matrix(a, b) = model.hessian(free[a], free[b]) + mu * model.majoriser(free[a], free[b]);
    // The majoriser is singular when the points do not determine a parameter; this keeps the step finite.
    matrix(a, a) += (1e-12 + 1e-9 * mu) * model.majoriser(free[a], free[a]) + 1e-300;
  }
  const Eigen::LLT<Eigen::MatrixXd> factor(matrix);
  if (factor.info() != Eigen::Success) return false;
  const Eigen::VectorXd part = factor.solve(rhs);
  if (!part.allFinite()) return false;
  step.setZero();
  for (int a = 0; a < m; ++a) step[free[a]] = part[a];
  return true;
}

// Steps longer than a factor e³ in an amplitude or 1 in a shape leave the range in which the model is any guide.
void limit_step(Eigen::VectorXd& step, int terms) {
  const double amplitude = step.head(terms).cwiseAbs().maxCoeff() / 3;
  const double shape = step.size() > terms ? step.tail(step.size() - terms).cwiseAbs().maxCoeff() : 0;
  const double excess = std::max(amplitude, shape);
  if (excess > 1) step /= excess;
}

// By the damped model. The undamped one expects far too much where the objective is all but linear with kinks.
double predicted_change(const Model& model, double mu, const Eigen::VectorXd& step) {
  return model.gradient.dot(step) + 0.5 * step.dot(model.hessian * step) + 0.5 * mu * step.dot(model.majoriser * step);
}

bool same_basin(const Descent& a, const Descent& b) {
  const double scale = std::max({a.objective, b.objective, 1e-18});  // below, residuals are rounding
  return std::abs(a.objective - b.objective) <= 1e-8 * scale;
}

// Damped Newton on the objective as it stands. Converged: what can still be won is below `tolerance` of the objective.
void newton(Objective& objective, Descent& at, double tolerance, int max_iterations) {
  const double n = static_cast<double>(objective.log_loss().size());
  Model model;
  at.converged = false;
  at.objective = objective.derivatives(at.theta, model.gradient, model.hessian, model.majoriser);
  if (!std::isfinite(at.objective)) return;
  double mu = 1;
  Eigen::VectorXd step(objective.dimension()), next;
  std::vector<int> free;
  for (int used = 0; used < max_iterations; ++used, ++at.iterations) {
    free.clear();
    for (int i = 0; i < objective.dimension(); ++i) {
      if (!held(objective, at.theta, model.gradient, i)) free.push_back(i);
    }
    // Residuals at the level of rounding: nothing is left to lower.
    at.converged = free.empty() || at.objective <= n * 1e-31;
    bool moved = false;
    while (!at.converged && !moved && mu < 1e16) {
      if (!solve_step(model, free, mu, step)) {
        mu = std::max(4 * mu, 1e-8);
        continue;
      }
      limit_step(step, objective.terms());
      next = (at.theta + step).cwiseMax(objective.lower()).cwiseMin(objective.upper());
      step = next - at.theta;
      at.converged = mu <= 1 && -0.5 * model.gradient.dot(step) <= tolerance * at.objective;
      if (at.converged) break;
      const double expected = -predicted_change(model, mu, step);
      const double gain = at.objective - objective.value(next);
      moved = gain > 0 && gain > 1e-4 * expected;
      mu = !moved ? std::max(6 * mu, 1e-8) : gain > 0.75 * expected ? mu / 8 : gain > 0.25 * expected ? mu : 3 * mu;
      if (mu < 1e-10) mu = 0;
    }
    if (!moved) {
      // No step helps: at the minimum by rounding, or caught in a kink.
      at.converged |= solve_step(model, free, 1, step) && -0.5 * model.gradient.dot(step) <= 1e-11 * at.objective;
      return;
    }
    at.theta = next;
    at.objective = objective.derivatives(next, model.gradient, model.hessian, model.majoriser);
  }
}

// From wide δ, where the objective is nearly least squares, to the one asked for.
void narrow(Objective& objective, Descent& at) {
  const double delta = objective.delta();
  double wide = 0.5 * objective.mean_residual(at.theta);
  while (wide > delta && std::isfinite(wide)) {
    objective.set_delta(wide);
    newton(objective, at, kRounding, kStageIterations);
    wide = std::min(wide / 4, 0.5 * objective.mean_residual(at.theta));
  }
  objective.set_delta(delta);
  newton(objective, at, kRounding, kIterations);
}

// The least-squares minimum near the start.
void coarse(Objective& objective, Descent& at) {
  const double delta = objective.delta();
  objective.set_delta(std::numeric_limits<double>::infinity());
  newton(objective, at, kCoarse, kCoarseIterations);
  objective.set_delta(delta);
}

bool same_place(const Descent& a, const Descent& b) {
  return std::abs(a.objective - b.objective) <= 1e-7 * std::max(a.objective, b.objective) + 1e-26 &&
         (a.theta - b.theta).cwiseAbs().maxCoeff() <= 1e-3;
}

}  // namespace

Descent descend_wide(Objective& objective, const Eigen::VectorXd& start) {
  Descent at{start.cwiseMax(objective.lower()).cwiseMin(objective.upper()), 0, 0, false};
  coarse(objective, at);
  narrow(objective, at);
  return at;
}

Descent descend(Objective& objective, const Eigen::VectorXd& start) {
  Descent at{start.cwiseMax(objective.lower()).cwiseMin(objective.upper()), 0, 0, false};
  newton(objective, at, kRounding, kIterations);
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
  for (const auto& start : starts) {
    Descent at{start, 0, 0, false};
    coarse(objective, at);
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

}  // namespace

Optimum minimise(Objective& objective, const std::vector<Eigen::VectorXd>& starts) {
  Optimum optimum;
  std::vector<Arrivals> ends = coarse_minima(objective, starts);
  if (!ends.empty()) {
    Descent sharp = ends[0].at;
    const double delta = objective.delta();
    objective.set_delta(std::numeric_limits<double>::infinity());
    newton(objective, sharp, kRounding, kIterations);
    objective.set_delta(delta);
    optimum.least_squares = sharp.objective;
  }
  for (Arrivals& end : ends) narrow(objective, end.at);
  std::vector<Arrivals> direct = lowest_starts(objective, starts);
  optimum.starts = static_cast<int>(starts.size() + direct.size());
  for (Arrivals& end : direct) {
    newton(objective, end.at, kRounding, kIterations);
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
