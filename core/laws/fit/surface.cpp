#include "fit/surface.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/rng.h"
#include "base/statistics.h"
#include "fit/bootstrap.h"
#include "fit/distributions.h"
#include "fit/evaluate.h"
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

constexpr size_t kMostObservations = 256;  // of a dense covariance
constexpr int kZooms = 3;
constexpr int kCandidates = 2;           // for each draw, of which weights choose
constexpr double kLeastSquares = 1e-13;  // of the sum of squares: rounding
constexpr double kNever = -std::numeric_limits<double>::infinity();

enum class Draws : uint64_t { choice = 1, place = 2, scale = 3, miss = 4 };
uint64_t stream(Draws purpose, uint64_t index = 0) {
  return static_cast<uint64_t>(Stream::bootstrap) << 48 | UINT64_C(1) << 45 | static_cast<uint64_t>(purpose) << 40 |
         index;
}

// The columns of a law's terms over a grid: a term has one for each combination of the shapes it depends on.
class Columns {
 public:
  Columns(const Law& law, const ShapeGrid& grid) : grid_(grid), axes_(law.terms().size()) {
    for (size_t t = 0; t < axes_.size(); ++t) {
      int count = 1;
      for (int j = 0; j < static_cast<int>(law.shapes().size()); ++j)
        if (law.depends(static_cast<int>(t), j)) axes_[t].push_back(j), count *= grid.per_axis;
      first_.push_back(total_);
      total_ += count;
    }
  }
  int total() const { return total_; }

  int of(int term, int cell) const {
    int index = 0;
    for (auto axis = axes_[term].rbegin(); axis != axes_[term].rend(); ++axis)
      index = index * grid_.per_axis + grid_.place(cell, *axis);
    return first_[term] + index;
  }

  // φ / about at the middles of the cells: [n, total].
  MatrixXd values(const Law& law, const Eigen::ArrayXXd& x, const ArrayXd& about) const {
    MatrixXd out(about.size(), total_);
    std::vector<bool> filled(static_cast<size_t>(total_), false);
    Basis basis;
    for (int cell = 0; cell < grid_.cells(); ++cell) {
      bool any = false;
      for (int t = 0; t < static_cast<int>(axes_.size()); ++t) any |= !filled[of(t, cell)];
      if (!any) continue;
      law.evaluate(x, grid_.middle(cell).array().exp().matrix(), 0, basis);
      for (int t = 0; t < static_cast<int>(axes_.size()); ++t) {
        filled[of(t, cell)] = true;
        out.col(of(t, cell)) = basis.value.col(t) / about;
      }
    }
    return out;
  }

 private:
  const ShapeGrid& grid_;
  std::vector<std::vector<int>> axes_;
  std::vector<int> first_;
  int total_ = 0;
};

// The amplitudes for given shapes and scale: normal about `mean` with precision LLᵀ/σ², cut off at zero.
struct Amplitudes {
  VectorXd mean;
  MatrixXd lower;
  double squares = 0;
  double log_weight = kNever;
};

}  // namespace

class SurfaceDrawing {
 public:
  SurfaceDrawing(const std::vector<Point>& points, const FitOptions& options, const ArrayXd& log_fitted,
                 double discrepancy)
      : law_(make_law(options.law, points, options.choice())), seed_(options.seed), discrepancy_(discrepancy) {
    Neighbourhoods pooled = pool_neighbours(observations(*law_, points, log_fitted), kMostObservations);
    observed_ = std::move(pooled.observed);
    known_sd_ = known_noise(points, observed_.freedom, options.noise);
    within_ = pooled.squares;
    counted_ = observed_.freedom + law_->dimension() - static_cast<double>(law_->terms().size());
    x_ = law_->coordinates(observed_.points);
    log_loss_.resize(static_cast<Eigen::Index>(observed_.points.size()));
    for (Eigen::Index i = 0; i < log_loss_.size(); ++i) log_loss_[i] = std::log(observed_.points[i].loss);
    ridge_ = amplitude_ridge(known_sd_, log_loss_.mean());
    places_ = std::make_shared<const DiscrepancyPlaces>(*law_, observed_.points);
    correlation_ = places_->correlation(*places_);
    scales_ = discrepancy_scales(correlation_, observed_.weights);
  }

  std::optional<Surface> run(int draws) {
    const ShapeGrid grid = zoomed();
    if (!std::isfinite(*std::max_element(weights_.begin(), weights_.end()))) return std::nullopt;
    const std::vector<int> chosen =
        systematic(weights_, kCandidates * draws, random_unit(seed_, stream(Draws::choice), 0));
    propose(grid, chosen);
    if (!std::isfinite(*std::max_element(ratios_.begin(), ratios_.end()))) return std::nullopt;
    return keep(systematic(ratios_, draws, random_unit(seed_, stream(Draws::choice), 1)));
  }

 private:
  struct Candidate {
    int scale = 0;
    VectorXd amplitudes, shapes;
    double sd = 0;
  };

  // Log weights of every cell of the grid, for each scale in turn.
  void weigh(const ShapeGrid& grid) {
    const Columns columns(*law_, grid);
    const MatrixXd values = columns.values(*law_, x_, log_loss_.exp());
    MatrixXd wide(values.rows(), values.cols() + 1);
    wide << values, VectorXd::Ones(values.rows());
    const int cells = grid.cells(), k = static_cast<int>(law_->terms().size()), one = columns.total();
    weights_.assign(static_cast<size_t>(cells) * scales_.size(), kNever);
    MatrixXd precision(k, k);
    VectorXd product(k);
    for (size_t s = 0; s < scales_.size(); ++s) {
      const MatrixXd white = scales_[s].factor.matrixL().solve(wide);
      MatrixXd grams = MatrixXd::Zero(white.cols(), white.cols());
      grams.selfadjointView<Eigen::Lower>().rankUpdate(white.transpose());
      for (int cell = 0; cell < cells; ++cell) {
        for (int t = 0; t < k; ++t) {
          const int a = columns.of(t, cell);
          product[t] = grams(one, a);
          for (int u = 0; u <= t; ++u) precision(t, u) = grams(a, columns.of(u, cell));
        }
        const Amplitudes c = conditional(s, precision, product, grams(one, one), grid.middle(cell).sum());
        weights_[s * cells + cell] = c.log_weight;
        if (std::isfinite(c.log_weight)) weights_[s * cells + cell] += log_positive_share(c.mean, c.lower, scale_of(c));
      }
    }
  }

  // Flat in the shapes is e^x in their logarithms, whose sum is `log_shapes`.
  Amplitudes conditional(size_t s, const MatrixXd& gram, const VectorXd& product, double ones,
                         double log_shapes) const {
    MatrixXd precision = gram;
    precision.diagonal().array() += ridge_;
    const Eigen::LLT<MatrixXd> factor(precision);
    if (factor.info() != Eigen::Success) return {};
    Amplitudes c{factor.solve(product), factor.matrixL(), 0, 0};
    c.squares = std::max(ones - product.dot(c.mean), kLeastSquares * ones) + within_;
    c.log_weight = log_shapes - scales_[s].log_determinant - c.lower.diagonal().array().log().sum();
    if (known_sd_ > 0)
      c.log_weight -= 0.5 * c.squares / (known_sd_ * known_sd_);
    else
      c.log_weight -= 0.5 * counted_ * std::log(c.squares);
    c.log_weight -= 0.5 * std::pow(scales_[s].ratio * scale_of(c) / discrepancy_, 2);
    if (!std::isfinite(c.log_weight)) return {};
    return c;
  }

  double scale_of(const Amplitudes& c) const {
    return known_sd_ > 0 ? known_sd_ : std::sqrt(c.squares / std::max(counted_, 1.0));
  }

  // The box around what matters for any scale; weights_ are of its cells.
  ShapeGrid zoomed() {
    ShapeGrid grid = whole_box(*law_);
    weigh(grid);
    for (int zoom = 0; zoom < kZooms; ++zoom) {
      std::vector<double> best(static_cast<size_t>(grid.cells()), kNever);
      for (size_t i = 0; i < weights_.size(); ++i) best[i % best.size()] = std::max(best[i % best.size()], weights_[i]);
      const ShapeGrid next = closer(grid, best);
      if (!much_closer(next, grid)) break;
      grid = next;
      weigh(grid);
    }
    return grid;
  }

  // Anywhere in the chosen cells, with noise and amplitudes from their conditional distributions. What belongs to one
  // scale is made white in one go.
  void propose(const ShapeGrid& grid, const std::vector<int>& chosen) {
    const int cells = grid.cells();
    const Eigen::Index n = log_loss_.size(), k = static_cast<Eigen::Index>(law_->terms().size());
    const ArrayXd loss = log_loss_.exp();
    Basis basis;
    for (size_t first = 0; first < chosen.size();) {
      const size_t s = static_cast<size_t>(chosen[first] / cells);
      size_t last = first;
      while (last < chosen.size() && static_cast<size_t>(chosen[last] / cells) == s) ++last;
      MatrixXd values(n, k * static_cast<Eigen::Index>(last - first) + 1);
      std::vector<VectorXd> at;
      for (size_t i = first; i < last; ++i) {
        VectorXd offset(grid.low.size());
        for (Eigen::Index j = 0; j < offset.size(); ++j)
          offset[j] = random_unit(seed_, stream(Draws::place, i), 1000 + static_cast<uint64_t>(j));
        at.push_back(grid.at(chosen[i] % cells, offset));
        law_->evaluate(x_, at.back().array().exp().matrix(), 0, basis);
        values.middleCols(k * static_cast<Eigen::Index>(i - first), k) = (basis.value.colwise() / loss).matrix();
      }
      values.col(values.cols() - 1).setOnes();
      const MatrixXd white = scales_[s].factor.matrixL().solve(values);
      const VectorXd one = white.col(white.cols() - 1);
      for (size_t i = first; i < last; ++i) {
        const auto share = white.middleCols(k * static_cast<Eigen::Index>(i - first), k);
        const Amplitudes c =
            conditional(s, share.transpose() * share, share.transpose() * one, one.squaredNorm(), at[i - first].sum());
        add_candidate(s, at[i - first].array().exp().matrix(), c, i, weights_[static_cast<size_t>(chosen[i])]);
      }
      first = last;
    }
  }

  void add_candidate(size_t s, const VectorXd& shapes, const Amplitudes& c, size_t index, double cell_weight) {
    Candidate candidate{static_cast<int>(s), VectorXd::Zero(static_cast<Eigen::Index>(law_->terms().size())), shapes,
                        known_sd_};
    double weight = c.log_weight;
    if (std::isfinite(weight)) {
      if (!(known_sd_ > 0))
        candidate.sd = std::sqrt(c.squares / chi_squared_draw(counted_, seed_, stream(Draws::scale, index)));
      const auto uniform = [&](int which) {
        return random_unit(seed_, stream(Draws::place, index), static_cast<uint64_t>(which)) + 0x1p-54;
      };
      candidate.amplitudes = draw_positive(c.mean, c.lower, candidate.sd, uniform, weight);
    }
    candidates_.push_back(std::move(candidate));
    ratios_.push_back(weight - cell_weight);
  }

  Surface keep(const std::vector<int>& kept) {
    const Eigen::Index n = log_loss_.size(), draws = static_cast<Eigen::Index>(kept.size());
    Surface surface;
    surface.amplitudes_.resize(draws, static_cast<Eigen::Index>(law_->terms().size()));
    surface.shapes_.resize(draws, static_cast<Eigen::Index>(law_->shapes().size()));
    surface.noise_.resize(draws);
    surface.pulls_.resize(n, draws);
    Basis basis;
    for (Eigen::Index d = 0; d < draws; ++d) {
      const Candidate& from = candidates_[static_cast<size_t>(kept[static_cast<size_t>(d)])];
      surface.scale_of_.push_back(from.scale);
      surface.amplitudes_.row(d) = from.amplitudes.transpose();
      surface.shapes_.row(d) = from.shapes.transpose();
      surface.noise_[d] = from.sd;
      law_->evaluate(x_, from.shapes, 0, basis);
      surface.pulls_.col(d) =
          log_loss_.matrix() - (basis.value.matrix() * from.amplitudes).array().max(1e-300).log().matrix();
    }
    for (Eigen::Index first = 0, last = 0; first < draws; first = last) {
      const int s = surface.scale_of_[static_cast<size_t>(first)];
      while (last < draws && surface.scale_of_[static_cast<size_t>(last)] == s) ++last;
      auto pulls = surface.pulls_.middleCols(first, last - first);
      pulls = scales_[static_cast<size_t>(s)].factor.solve(pulls).eval();
      const MatrixXd missed = std::pow(scales_[static_cast<size_t>(s)].ratio, 2) * (correlation_ * pulls);
      surface.misfit_ += missed.squaredNorm() / static_cast<double>(n) / static_cast<double>(draws);
    }
    surface.misfit_ = std::sqrt(surface.misfit_);
    surface.law_ = law_;
    surface.places_ = places_;
    surface.scales_ = std::move(scales_);
    surface.freedom_ = observed_.freedom;
    surface.seed_ = seed_;
    return surface;
  }

  std::shared_ptr<const Law> law_;
  uint64_t seed_;
  double discrepancy_;
  Observations observed_;
  double known_sd_ = 0, within_ = 0, counted_ = 0, ridge_ = 0;
  Eigen::ArrayXXd x_;
  ArrayXd log_loss_;
  std::shared_ptr<const DiscrepancyPlaces> places_;
  MatrixXd correlation_;
  std::vector<DiscrepancyScale> scales_;
  std::vector<double> weights_;  // of every scale's cells
  std::vector<Candidate> candidates_;
  std::vector<double> ratios_;  // a candidate's weight over that of its cell
};

Eigen::MatrixXd Surface::predict(const std::vector<Target>& targets) const {
  MatrixXd log_losses = drawn_losses(*law_, amplitudes_, shapes_, targets).array().log().matrix();
  std::vector<Point> at;
  for (const Target& t : targets) at.push_back(point_at(t));
  const DiscrepancyPlaces there(*law_, at);
  const MatrixXd across = places_->correlation(there), among = there.correlation(there);
  const Eigen::Index count = static_cast<Eigen::Index>(targets.size());
  for (Eigen::Index first = 0, last = 0; first < size(); first = last) {
    const int s = scale_of_[static_cast<size_t>(first)];
    while (last < size() && scale_of_[static_cast<size_t>(last)] == s) ++last;
    const DiscrepancyScale& scale = scales_[static_cast<size_t>(s)];
    const double variance = scale.ratio * scale.ratio;
    const MatrixXd white = scale.factor.matrixL().solve(across);
    MatrixXd left = variance * among - variance * variance * (white.transpose() * white);
    left.diagonal().array() += 1e-9 * variance + 1e-12;
    const Eigen::LLT<MatrixXd> factor(left);
    MatrixXd z(count, last - first);
    for (Eigen::Index d = first; d < last; ++d)
      for (Eigen::Index t = 0; t < count; ++t)
        z(t, d - first) = noise_[d] * normal_quantile(random_unit(seed_, stream(Draws::miss, static_cast<uint64_t>(d)),
                                                                  static_cast<uint64_t>(t)) +
                                                      0x1p-54);
    const MatrixXd missed =
        variance * (across.transpose() * pulls_.middleCols(first, last - first)) + MatrixXd(factor.matrixL() * z);
    log_losses.middleRows(first, last - first) += missed.transpose();
  }
  return log_losses.array().exp().matrix();
}

Interval spread_with_noise(const VectorXd& losses, const ArrayXd& noise, double confidence, uint64_t seed,
                           uint64_t number) {
  const uint64_t at = static_cast<uint64_t>(Stream::bootstrap) << 48 | UINT64_C(1) << 47 | number;
  std::vector<double> values;
  for (Eigen::Index k = 0; k < losses.size(); ++k) {
    const double z = normal_quantile(random_unit(seed, at, static_cast<uint64_t>(k)) + 0x1p-54);
    values.push_back(losses[k] * std::exp(noise[k] * z));
  }
  return percentile_interval(std::move(values), confidence);
}

std::vector<RunForecast> forecast(const Surface& surface, const std::vector<Target>& targets, double confidence) {
  if (targets.empty()) return {};
  const MatrixXd losses = surface.predict(targets);
  std::vector<RunForecast> all;
  for (Eigen::Index t = 0; t < losses.cols(); ++t)
    all.push_back(
        {median({losses.col(t).begin(), losses.col(t).end()}),
         spread_with_noise(losses.col(t), surface.noise(), confidence, surface.seed(), static_cast<uint64_t>(t))});
  return all;
}

std::optional<Surface> draw_surface(const std::vector<Point>& points, const FitOptions& options, int draws,
                                    const ArrayXd& log_fitted, double discrepancy) {
  const auto law = make_law(options.law, points, options.choice());
  Reasons reasons;
  refuse_nonpositive(points, *law, reasons);
  if (points.empty() || !reasons.empty() || draws <= 0 || are_checkpoints(*law, points)) return std::nullopt;
  return SurfaceDrawing(points, options, log_fitted, discrepancy).run(draws);
}

}  // namespace bitsweep::fit
