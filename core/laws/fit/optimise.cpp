#include "fit/optimise.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fit/projection.h"

namespace bitsweep::fit {
namespace {

constexpr double kRounding = 1e-17;  // of the objective: less cannot be won
constexpr double kCoarse = 1e-11;    // for least squares, from which the narrow descents set out
constexpr double kProfile = 1e-12;   // for heights on a profile
constexpr double kLifted = 0.01;     // of the smallest loss: amplitudes that have a slope to rise by
constexpr double kNear = 1e-4;       // for least squares on the way from a neighbouring minimum
constexpr int kCoarseIterations = 40;
constexpr int kStageIterations = 4;
constexpr int kIterations = 400;
constexpr size_t kNarrowDescents = 64;        // from distinct least-squares minima
constexpr Eigen::Index kMostSearched = 600;   // points that all starts descend on
constexpr size_t kDirectDescents = 64;        // from the lowest starts, without the detour over least squares

bool same_basin(const Descent& a, const Descent& b) {
  const double scale = std::max({a.objective, b.objective, 1e-18});  // below, residuals are rounding
  return std::abs(a.objective - b.objective) <= 1e-8 * scale;
}

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

namespace {

// Into the box and back onto the plane by turns; false where no place is found that is in both.
bool settle(const Objective& objective, const Plane& plane, Eigen::VectorXd& theta) {
  for (int round = 0; round < 50; ++round) {
    theta = theta.cwiseMax(objective.lower()).cwiseMin(objective.upper());
    const double off = plane.offset - plane.normal.dot(theta);
    if (std::abs(off) <= 1e-12 * (1 + std::abs(plane.offset))) return true;
    theta += plane.normal * (off / plane.normal.squaredNorm());
  }
  return false;
}

}  // namespace

Descent descend_on(Objective& objective, const Plane& plane, const Eigen::VectorXd& from) {
  Newton newton(objective, &plane);
  Descent best{from, std::numeric_limits<double>::infinity(), 0, false};
  const Eigen::VectorXd start = newton.expected_on_plane(from);
  const auto descend_from = [&](Eigen::VectorXd theta) {
    Descent at{std::move(theta), 0, 0, false};
    if (!settle(objective, plane, at.theta)) return;
    newton.run(at, kProfile, kIterations);
    if (at.objective < best.objective) best = std::move(at);
  };
  for (const Eigen::VectorXd& theta : with_lifted(objective, {start})) descend_from(theta);
  return best;
}

std::vector<Eigen::VectorXd> with_lifted(const Objective& objective, std::vector<Eigen::VectorXd> places) {
  const double lifted = objective.log_loss().minCoeff() + std::log(kLifted);
  const size_t count = places.size();
  for (size_t i = 0; i < count; ++i) {
    Eigen::VectorXd place = places[i];
    bool any = false;
    for (int k = 0; k < objective.terms(); ++k) {
      if (place[k] > objective.lower()[k] + 1) continue;
      place[k] = lifted;
      any = true;
    }
    if (any) places.push_back(std::move(place));
  }
  return places;
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

// The amplitudes that least squares of log loss gives to shapes: a law is linear in them, so that there is one choice,
// and a descent that begins there need not crawl to it along amplitudes that are next to nothing.
class Balance {
 public:
  explicit Balance(const Objective& objective)
      : objective_(objective), loss_(objective.log_loss().exp()), root_(objective.weights().sqrt()) {}

  Eigen::VectorXd operator()(const Eigen::VectorXd& shapes) {
    objective_.law().evaluate(objective_.coordinates(), shapes, 0, basis_);
    Eigen::VectorXd amplitudes;
    // Gauss and Newton on the logarithm, from the losses themselves; the descent does the rest.
    Eigen::ArrayXd about = loss_;
    for (int step = 0; step < 2 && (about > 0).all(); ++step) {
      amplitudes = nonnegative_least_squares((basis_.value.colwise() * (root_ / about)).matrix(),
                                             (root_ * (1 + (loss_ / about).log())).matrix());
      about = (basis_.value.matrix() * amplitudes).array();
    }
    return objective_.join(amplitudes.cwiseMax(kLifted * loss_.minCoeff()), shapes);
  }

 private:
  const Objective& objective_;
  Eigen::ArrayXd loss_, root_;
  Basis basis_;
};

// Least squares from every start; those that meet are one from there on, because a descent is a function of where it
// is.
std::vector<Arrivals> coarse_minima(Objective& objective, const std::vector<Eigen::VectorXd>& starts) {
  std::vector<Arrivals> distinct;
  for (const auto& start : starts) {
    // A grid has the starts of the same shapes one after another.
    if (!distinct.empty() && objective.shapes(distinct.back().at.theta) == objective.shapes(start))
      ++distinct.back().count;
    else
      distinct.push_back({{start, 0, 0, false}, 1});
  }
  std::vector<Arrivals> ends;
  Newton newton(objective);
  Balance balance(objective);
  for (auto& [start, count] : distinct) {
    Descent at{balance(objective.shapes(start.theta)), 0, 0, false};
    coarse(objective, newton, at);
    if (!std::isfinite(at.objective)) continue;
    const auto met = std::find_if(ends.begin(), ends.end(), [&](const Arrivals& e) { return same_place(e.at, at); });
    if (met == ends.end())
      ends.push_back({std::move(at), count});
    else
      met->count += count;
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

}  // namespace bitsweep::fit
