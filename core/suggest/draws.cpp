#include "suggest/draws.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include "base/rng.h"
#include "fit/objective.h"
#include "fit/optimise.h"

namespace bitsweep {
namespace {

constexpr double kAmplitudeSd = 1.2;  // of the logarithm of a term's share of the loss
constexpr double kPseudoFreedom = 2;  // degrees of freedom that the assumed noise is worth
constexpr int kSearchStarts = 48;     // of the law's grid, for the basins
constexpr double kBasinDepth = 6;     // a minimum e^-6 as probable as the best is not drawn from
constexpr int kMostBasins = 4;
constexpr int kIterations = 40;

// Standard normal, value i of a stream.
double normal(uint64_t seed, uint64_t stream, uint64_t i) {
  const double u = 1 - random_unit(seed, stream, 2 * i), v = random_unit(seed, stream, 2 * i + 1);
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

// One configuration a point: the geometric mean of its seeds' losses.
struct Grouped {
  std::vector<Point> points;
  std::vector<int> runs;
  double seed_squares = 0;  // Σ (log loss − mean of its configuration)²
  int seed_freedom = 0;
};

Grouped group_points(const std::vector<Point>& points) {
  Grouped grouped;
  const std::vector<int> groups = group_by_configuration(points);
  std::vector<double> sums;
  for (size_t i = 0; i < points.size(); ++i) {
    if (static_cast<size_t>(groups[i]) == grouped.points.size()) {
      grouped.points.push_back(points[i]);
      grouped.runs.push_back(0), sums.push_back(0);
    }
    ++grouped.runs[groups[i]];
    sums[groups[i]] += std::log(points[i].loss);
  }
  for (size_t g = 0; g < sums.size(); ++g) grouped.points[g].loss = std::exp(sums[g] / grouped.runs[g]);
  for (size_t i = 0; i < points.size(); ++i)
    grouped.seed_squares += std::pow(std::log(points[i].loss / grouped.points[groups[i]].loss), 2);
  grouped.seed_freedom = static_cast<int>(points.size() - sums.size());
  return grouped;
}

// A fit of grouped points under the prior, in coordinates u: the logarithms of amplitudes and of positive shapes.
class PriorFit {
 public:
  PriorFit(const Law& law, const Grouped& grouped)
      : law_(law), objective_(law, grouped.points, std::numeric_limits<double>::infinity()) {
    const int p = law.dimension();
    mean_.resize(p), sd_.resize(p);
    const double level = grouped.points.empty() ? 0 : objective_.log_loss().mean();
    mean_.head(terms()).setConstant(level - std::log(terms()));
    sd_.head(terms()).setConstant(kAmplitudeSd);
    for (int j = terms(); j < p; ++j) spread_of(law.shapes()[j - terms()], mean_[j], sd_[j]);
  }

  struct End {
    Eigen::VectorXd u;
    double cost = std::numeric_limits<double>::infinity();
  };

  int dimension() const { return law_.dimension(); }
  const Eigen::ArrayXd& measured() const { return objective_.log_loss(); }
  const Eigen::VectorXd& prior_mean() const { return mean_; }
  const Eigen::VectorXd& prior_sd() const { return sd_; }
  void set_error(const Eigen::ArrayXd& sd) { error_ = sd; }
  const Eigen::ArrayXd& error() const { return error_; }

  Eigen::VectorXd theta(const Eigen::VectorXd& u) const {
    Eigen::VectorXd theta = u;
    for (int j = terms(); j < dimension(); ++j)
      if (is_log(j)) theta[j] = std::exp(u[j]);
    if (error_.size() == 0) return clamped_shapes(theta);  // without points there is no scale for amplitudes
    return theta.cwiseMax(objective_.lower()).cwiseMin(objective_.upper());
  }
  Eigen::VectorXd u_of(const Eigen::VectorXd& theta) const {
    Eigen::VectorXd u = theta;
    for (int j = terms(); j < dimension(); ++j)
      if (is_log(j)) u[j] = std::log(theta[j]);
    return u;
  }

  // Levenberg and Marquardt on ½|(law − y)/error|² + ½|(u − centre)/sd|².
  End descend(const Eigen::VectorXd& start, const Eigen::ArrayXd& y, const Eigen::VectorXd& centre) {
    End at{start, cost(start, y, centre)};
    if (!std::isfinite(at.cost)) return at;
    double mu = 1e-3;
    for (int i = 0; i < kIterations; ++i) {
      Eigen::MatrixXd hessian;
      Eigen::VectorXd gradient;
      model(at.u, y, centre, hessian, gradient);
      bool moved = false;
      for (; mu < 1e12 && !moved; mu *= 10) {
        Eigen::MatrixXd damped = hessian;
        damped.diagonal() += mu * hessian.diagonal();
        const Eigen::VectorXd next = at.u - damped.ldlt().solve(gradient);
        const double value = next.allFinite() ? cost(next, y, centre) : HUGE_VAL;
        if (!(value < at.cost)) continue;
        const bool small = at.cost - value < 1e-9 * (1 + at.cost);
        at = {next, value};
        moved = true;
        mu /= 100;
        if (small) return at;
      }
      if (!moved) break;
    }
    return at;
  }

  Eigen::ArrayXd residuals(const Eigen::VectorXd& u) { return objective_.predict(theta(u)) - objective_.log_loss(); }

  // Minima of the law's grid of starts, lowest first, none much less probable than the best.
  std::vector<End> basins() {
    std::vector<Eigen::VectorXd> starts = {mean_};
    if (error_.size() > 0) {
      const std::vector<Eigen::VectorXd> grid = grid_of_starts(objective_);
      const size_t stride = std::max<size_t>(1, grid.size() / kSearchStarts);
      for (size_t i = stride / 2; i < grid.size(); i += stride) starts.push_back(u_of(grid[i]));
    }
    std::vector<End> ends;
    for (const Eigen::VectorXd& start : starts) ends.push_back(descend(start, measured(), mean_));
    std::stable_sort(ends.begin(), ends.end(), [](const End& a, const End& b) { return a.cost < b.cost; });
    std::vector<End> kept;
    for (const End& end : ends) {
      if (!(end.cost <= ends[0].cost + kBasinDepth) || kept.size() == kMostBasins) break;
      const auto same = [&](const End& k) {
        return ((k.u - end.u).array().abs() < 0.05 * sd_.array()).all() || std::abs(k.cost - end.cost) < 1e-6;
      };
      if (std::none_of(kept.begin(), kept.end(), same)) kept.push_back(end);
    }
    return kept;
  }

 private:
  int terms() const { return static_cast<int>(law_.terms().size()); }
  bool is_log(int j) const { return law_.shapes()[j - terms()].lower > 0; }

  // As wide as the starts that the law itself thinks possible.
  static void spread_of(const Shape& shape, double& mean, double& sd) {
    std::vector<double> at = shape.starts;
    if (at.empty()) at = {shape.lower, shape.upper};
    mean = 0;
    for (double& x : at) mean += (x = shape.lower > 0 ? std::log(x) : x) / static_cast<double>(at.size());
    double squares = 0;
    for (const double x : at) squares += (x - mean) * (x - mean);
    sd = std::max(0.1, std::sqrt(squares / static_cast<double>(at.size())));
  }

  Eigen::VectorXd clamped_shapes(Eigen::VectorXd theta) const {
    for (int j = terms(); j < dimension(); ++j)
      theta[j] = std::clamp(theta[j], law_.shapes()[j - terms()].lower, law_.shapes()[j - terms()].upper);
    return theta;
  }

  double cost(const Eigen::VectorXd& u, const Eigen::ArrayXd& y, const Eigen::VectorXd& centre) {
    double sum = ((u - centre).array() / sd_.array()).square().sum();
    if (error_.size() > 0) sum += ((objective_.predict(theta(u)) - y) / error_).square().sum();
    return 0.5 * sum;
  }

  void model(const Eigen::VectorXd& u, const Eigen::ArrayXd& y, const Eigen::VectorXd& centre, Eigen::MatrixXd& hessian,
             Eigen::VectorXd& gradient) {
    const Eigen::ArrayXd weight = sd_.array().square().inverse();
    hessian = weight.matrix().asDiagonal();
    gradient = (weight * (u - centre).array()).matrix();
    if (error_.size() == 0) return;
    const Eigen::VectorXd at = theta(u);
    const Eigen::ArrayXd residual = (objective_.predict(at) - y) / error_;
    Eigen::MatrixXd jacobian = error_.inverse().matrix().asDiagonal() * objective_.jacobian(at);
    for (int j = terms(); j < dimension(); ++j)
      if (is_log(j)) jacobian.col(j) *= at[j];
    hessian += jacobian.transpose() * jacobian;
    gradient += jacobian.transpose() * residual.matrix();
  }

  const Law& law_;
  Objective objective_;
  Eigen::VectorXd mean_, sd_;
  Eigen::ArrayXd error_;  // of each configuration's mean log loss; empty without points
};

Eigen::ArrayXd errors_of(const Grouped& grouped, const NoiseModel& noise) {
  Eigen::ArrayXd sd(grouped.runs.size());
  for (size_t g = 0; g < grouped.runs.size(); ++g) sd[g] = std::sqrt(noise.variance(grouped.runs[g]));
  return sd;
}

// What repeated seeds and residuals tell of the noise, and where they do not the assumption, as if it were two
// further observations. Until both are seen, seed and configuration share it equally.
NoiseModel estimate_noise(PriorFit& fit, const Grouped& grouped, double assumed) {
  NoiseModel noise;
  const double half = assumed * assumed / 2;
  const int freedom = static_cast<int>(grouped.points.size()) - fit.dimension();
  double seed = (grouped.seed_squares + kPseudoFreedom * half) / (grouped.seed_freedom + kPseudoFreedom);
  double configuration = seed;
  for (int round = 0; round < 2 && freedom > 0; ++round) {
    noise.seed_sd = std::sqrt(seed), noise.configuration_sd = std::sqrt(configuration);
    fit.set_error(errors_of(grouped, noise));
    const Eigen::ArrayXd residual = fit.residuals(fit.basins().at(0).u);
    const double scatter = residual.square().sum();
    if (grouped.seed_freedom == 0) {
      seed = configuration = (scatter + kPseudoFreedom * 2 * half) / (freedom + kPseudoFreedom) / 2;
      continue;
    }
    double of_seeds = 0;  // what repeated seeds alone make the means scatter
    for (const int runs : grouped.runs) of_seeds += seed / runs / static_cast<double>(grouped.runs.size());
    configuration =
        (std::max(0.0, scatter - freedom * of_seeds) + kPseudoFreedom * seed / 2) / (freedom + kPseudoFreedom);
  }
  noise.seed_sd = std::sqrt(seed), noise.configuration_sd = std::sqrt(configuration);
  noise.source = grouped.seed_freedom > 0 && freedom > 0 ? "repeated seeds and the residuals of the law"
                 : grouped.seed_freedom > 0              ? "repeated seeds"
                 : freedom > 0                           ? "the residuals of the law"
                                                         : "assumed: too few runs tell of it";
  return noise;
}

}  // namespace

LawDraws draw_law(const Law& law, const std::vector<Point>& points, const DrawOptions& options) {
  const Grouped grouped = group_points(points);
  PriorFit fit(law, grouped);
  LawDraws drawn;
  drawn.configurations = static_cast<int>(grouped.points.size());
  drawn.noise = estimate_noise(fit, grouped, options.assumed_noise);
  if (!points.empty()) fit.set_error(errors_of(grouped, drawn.noise));
  const std::vector<PriorFit::End> basins = fit.basins();
  drawn.basins = static_cast<int>(basins.size());
  for (int i = 0; i < options.draws; ++i) {
    const uint64_t stream =
        static_cast<uint64_t>(Stream::bootstrap) << 48 | UINT64_C(1) << 46 | static_cast<uint64_t>(i);
    uint64_t next = 0;
    Eigen::ArrayXd y = fit.measured();
    for (Eigen::Index g = 0; g < fit.error().size(); ++g) y[g] += fit.error()[g] * normal(options.seed, stream, next++);
    Eigen::VectorXd centre = fit.prior_mean();
    for (int j = 0; j < fit.dimension(); ++j) centre[j] += fit.prior_sd()[j] * normal(options.seed, stream, next++);
    PriorFit::End best;
    for (const PriorFit::End& basin : basins) {
      PriorFit::End end = fit.descend(basin.u, y, centre);
      if (end.cost < best.cost) best = std::move(end);
    }
    if (std::isfinite(best.cost)) drawn.thetas.push_back(fit.theta(best.u));
  }
  return drawn;
}

Eigen::MatrixXd log_losses(const Law& law, const std::vector<Eigen::VectorXd>& thetas,
                           const std::vector<Point>& places) {
  std::vector<Point> at = places;
  for (Point& point : at) point.loss = 1;
  Objective objective(law, at, std::numeric_limits<double>::infinity());
  Eigen::MatrixXd values(thetas.size(), at.size());
  for (size_t i = 0; i < thetas.size(); ++i) values.row(i) = objective.predict(thetas[i]).matrix().transpose();
  return values;
}

}  // namespace bitsweep
