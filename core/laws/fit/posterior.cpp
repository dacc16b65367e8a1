#include "fit/posterior.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/rng.h"
#include "fit/distributions.h"
#include "fit/evaluate.h"
#include "fit/kernels.h"
#include "fit/likelihood.h"
#include "fit/neighbours.h"
#include "fit/objective.h"
#include "fit/positive_normal.h"
#include "fit/refuse.h"
#include "fit/shape_grid.h"

namespace bitsweep::fit {
namespace {

using Eigen::ArrayXd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr size_t kMostObservations = 1000;  // more are pooled with their neighbours
constexpr int kZooms = 10;
constexpr int kCandidates = 3;    // for each draw, of which weights choose
constexpr double kHopeless = 50;  // times the least squares: with this many degrees of freedom no weight is left
constexpr double kHopelessFreedom = 8;

uint64_t stream(uint64_t purpose, uint64_t index = 0) {
  return static_cast<uint64_t>(Stream::bootstrap) << 48 | UINT64_C(1) << 46 | purpose << 40 | index;
}

// The distribution of the amplitudes for given shapes: normal about `mean` with precision LLᵀ/σ², cut off at zero.
struct Conditional {
  VectorXd mean;
  MatrixXd lower;         // Cholesky of the precision, for σ = 1
  double squares = 0;     // Σ w r² at the mean
  double log_weight = 0;  // of the shapes, with amplitudes (and the noise) integrated out; −infinity for none
};

class Cells {
 public:
  // `within`: squares about the means of observations that are several.
  Cells(const Law& law, const Observations& observed, double known_sd, double within)
      : law_(law),
        x_(law.coordinates(observed.points)),
        weights_(observed.weights),
        loss_(static_cast<Eigen::Index>(observed.points.size())),
        known_sd_(known_sd),
        within_(within) {
    for (Eigen::Index i = 0; i < loss_.size(); ++i) loss_[i] = observed.points[i].loss;
    log_loss_ = loss_.log();
    fitted_.resize(loss_.size()), apart_.resize(loss_.size()), scaled_.resize(2 * loss_.size());
    counted_ = observed.freedom + law.dimension();
    ridge_ = amplitude_ridge(known_sd, log_loss_.mean());
  }

  // Degrees of freedom of the noise once the amplitudes are integrated out.
  double freedom() const { return counted_ - static_cast<double>(law_.terms().size()); }

  Conditional at(const VectorXd& shapes) {
    const Eigen::Index k = static_cast<Eigen::Index>(law_.terms().size()), n = loss_.size();
    law_.evaluate(x_, shapes, 0, basis_);
    share_.resize(n, k);
    Conditional c;
    c.mean.resize(k);
    // log L ≈ log about + (L − about)/about, about the losses and then about what that gives: exact to second order in
    // residuals. An unconstrained mean may lie where losses are negative; the first straight line serves there.
    const double* about = loss_.data();
    wanted_.setOnes(n);
    for (int step = 0; step < 2; ++step) {
      for (Eigen::Index i = 0; i < k; ++i)
        add_share(basis_.value.col(i).data(), 1, about, false, share_.col(i).data(), n);
      if (!solve(c)) return impossible(k);
      const bool hopeless = freedom() >= kHopelessFreedom && c.squares > kHopeless * least_;
      if (step == 1 || hopeless ||
          !mix(basis_.value.data(), c.mean.data(), static_cast<int>(k), log_loss_.data(), fitted_.data(), apart_.data(),
               n))
        break;
      about = fitted_.data();
      wanted_ = (1 - apart_).matrix();
    }
    least_ = std::min(least_, c.squares);
    c.log_weight = -c.lower.diagonal().array().log().sum();
    if (known_sd_ > 0)
      c.log_weight -= 0.5 * c.squares / (known_sd_ * known_sd_);
    else
      c.log_weight -= 0.5 * freedom() * std::log(std::max(c.squares, 1e-26));
    if (!std::isfinite(c.log_weight)) return impossible(k);
    return c;
  }

 private:
  // Least squares of wanted − share·mean, weighted; false where that has no one solution.
  bool solve(Conditional& c) {
    const Eigen::Index k = share_.cols(), n = share_.rows();
    MatrixXd precision(k, k), unused(k, k);
    two_grams(share_.data(), static_cast<int>(k), weights_.data(), weights_.data(), scaled_.data(), precision.data(),
              unused.data(), n);
    precision.diagonal().array() += ridge_;
    const Eigen::LLT<MatrixXd> factor(precision);
    if (factor.info() != Eigen::Success) return false;
    weighted_ = (weights_ * wanted_.array()).matrix();
    for (Eigen::Index i = 0; i < k; ++i) c.mean[i] = dot(share_.col(i).data(), weighted_.data(), n);
    c.mean = factor.solve(c.mean).eval();
    c.lower = factor.matrixL();
    c.squares =
        (weights_ * (wanted_ - share_ * c.mean).array().square()).sum() + ridge_ * c.mean.squaredNorm() + within_;
    return true;
  }

  static Conditional impossible(Eigen::Index k) {
    return {VectorXd::Zero(k), MatrixXd::Identity(k, k), 0, -std::numeric_limits<double>::infinity()};
  }

  const Law& law_;
  Eigen::ArrayXXd x_;
  ArrayXd weights_, loss_;
  double known_sd_, within_, counted_ = 0, ridge_ = 0;
  double least_ = std::numeric_limits<double>::infinity();  // squares seen so far
  Basis basis_;
  MatrixXd share_;
  VectorXd wanted_, weighted_;
  ArrayXd log_loss_, fitted_, apart_, scaled_;
};

// Flat in the shapes is e^x in their logarithms.
double log_weight(const Conditional& c, const VectorXd& log_shapes) { return c.log_weight + log_shapes.sum(); }

double scale_of(const Cells& cells, const Conditional& c, double known_sd) {
  return known_sd > 0 ? known_sd : std::sqrt(c.squares / std::max(cells.freedom(), 1.0));
}

// The weights of a grid's cells: those of their middles.
std::vector<double> weigh(Cells& cells, const ShapeGrid& grid, double known_sd) {
  std::vector<double> weights(grid.cells());
  for (int i = 0; i < grid.cells(); ++i) {
    const VectorXd x = grid.middle(i);
    const Conditional c = cells.at(x.array().exp());
    weights[i] = log_weight(c, x);
    if (std::isfinite(weights[i])) weights[i] += log_positive_share(c.mean, c.lower, scale_of(cells, c, known_sd));
  }
  return weights;
}

// The box around what matters, closer and closer until it hardly shrinks; `weights` are of its cells.
ShapeGrid zoomed(Cells& cells, const Law& law, double known_sd, std::vector<double>& weights) {
  ShapeGrid grid = whole_box(law);
  weights = weigh(cells, grid, known_sd);
  for (int zoom = 0; zoom < kZooms; ++zoom) {
    const ShapeGrid next = closer(grid, weights);
    if (!much_closer(next, grid)) break;
    grid = next;
    weights = weigh(cells, grid, known_sd);
  }
  return grid;
}

struct Candidate {
  VectorXd amplitudes, shapes;
  double sd = 0;
  double log_weight = 0;
};

// Anywhere in a cell, with noise and amplitudes from their conditional distributions. A function of (seed, index).
Candidate candidate_in(Cells& cells, const ShapeGrid& grid, int cell, double known_sd, uint64_t seed, uint64_t index) {
  const auto uniform = [&](int which) {
    return random_unit(seed, stream(2, index), static_cast<uint64_t>(which)) + 0x1p-54;
  };
  VectorXd offset(grid.low.size());
  for (Eigen::Index j = 0; j < offset.size(); ++j) offset[j] = uniform(1000 + static_cast<int>(j));
  const VectorXd x = grid.at(cell, offset);
  const Conditional c = cells.at(x.array().exp());
  Candidate candidate{VectorXd::Zero(c.mean.size()), x.array().exp(), known_sd, log_weight(c, x)};
  if (!std::isfinite(candidate.log_weight)) return candidate;
  if (!(known_sd > 0))
    candidate.sd = std::sqrt(std::max(c.squares, 1e-26) / chi_squared_draw(cells.freedom(), seed, stream(3, index)));
  candidate.amplitudes = draw_positive(c.mean, c.lower, candidate.sd, uniform, candidate.log_weight);
  return candidate;
}

}  // namespace

std::vector<NamedValue> Posterior::params(int draw) const {
  return law_->named(amplitudes_.row(draw).transpose(), shapes_.row(draw).transpose());
}

Eigen::MatrixXd Posterior::predict(const std::vector<Target>& targets) const {
  return drawn_losses(*law_, amplitudes_, shapes_, targets);
}

std::optional<Posterior> draw_posterior(const std::vector<Point>& points, const FitOptions& options, int draws,
                                        const Eigen::ArrayXd& log_fitted) {
  Posterior posterior;
  posterior.law_ = make_law(options.law, points, options.choice());
  const Law& law = *posterior.law_;
  Reasons reasons;
  refuse_nonpositive(points, law, reasons);
  if (points.empty() || !reasons.empty() || draws <= 0) return std::nullopt;
  const Neighbourhoods pooled =
      pool_neighbours(observations(law, points, log_fitted), law.within_runs() ? points.size() : kMostObservations);
  const Observations& observed = pooled.observed;
  posterior.freedom_ = observed.freedom;
  const double known_sd = known_noise(points, observed.freedom, options.noise);
  Cells cells(law, observed, known_sd, pooled.squares);
  std::vector<double> weights;
  const ShapeGrid grid = zoomed(cells, law, known_sd, weights);
  if (!std::isfinite(*std::max_element(weights.begin(), weights.end()))) return std::nullopt;

  // Candidates from cells chosen by weight, then draws from the candidates by how far their own weight differs.
  const uint64_t seed = options.seed;
  const std::vector<int> chosen = systematic(weights, kCandidates * draws, random_unit(seed, stream(1), 0));
  std::vector<Candidate> candidates;
  std::vector<double> ratios;
  for (size_t i = 0; i < chosen.size(); ++i) {
    candidates.push_back(candidate_in(cells, grid, chosen[i], known_sd, seed, i));
    ratios.push_back(candidates.back().log_weight - weights[chosen[i]]);
  }
  if (!std::isfinite(*std::max_element(ratios.begin(), ratios.end()))) return std::nullopt;
  const std::vector<int> kept = systematic(ratios, draws, random_unit(seed, stream(1), 1));
  posterior.amplitudes_.resize(draws, candidates[0].amplitudes.size());
  posterior.shapes_.resize(draws, candidates[0].shapes.size());
  posterior.noise_.resize(draws);
  for (int i = 0; i < draws; ++i) {
    const Candidate& from = candidates[kept[i]];
    posterior.amplitudes_.row(i) = from.amplitudes.transpose();
    posterior.shapes_.row(i) = from.shapes.transpose();
    posterior.noise_[i] = from.sd;
  }
  return posterior;
}

}  // namespace bitsweep::fit
