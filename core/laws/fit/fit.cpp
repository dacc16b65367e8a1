#include "fit/fit.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/rng.h"
#include "base/units.h"
#include "fit/bootstrap.h"
#include "fit/distributions.h"
#include "fit/evaluate.h"
#include "fit/feasible.h"
#include "fit/likelihood.h"
#include "fit/objective.h"
#include "fit/optimise.h"
#include "fit/posterior.h"
#include "fit/profile.h"
#include "fit/projection.h"
#include "fit/refuse.h"
#include "fit/surface.h"

namespace bitsweep::fit {
namespace {

constexpr int kSpareForIntervals = 3;     // n − p from which intervals are given
constexpr double kZeroAmplitude = 1e-9;   // of the smallest loss: an amplitude below is on its bound, zero
constexpr double kFarExtrapolation = 30;  // factor beyond which a prediction carries a warning
constexpr double kIllConditioned = 1e6;
constexpr double kAgreement = 1e-10;  // between descent and projection
constexpr int kGroupsForBca = 10;
constexpr size_t kStartsAgain = 23;  // every so many of the grid; no divisor of its sides
constexpr int kDraws = 2000;         // of the posterior
constexpr int kSurfaceDraws = 1000;  // of the surface, behind predictions

// "the target at 1B parameters and 20B tokens", or by its number where it has neither.
std::string target_name(const Target& target, uint64_t number) {
  const std::string place = place_name(target.params, target.tokens);
  return place.empty() ? fmt::format("target {}", number + 1) : "the target at " + place;
}

std::optional<double> a_opt_of(const std::vector<NamedValue>& values) {
  const auto alpha = named_value(values, "alpha"), beta = named_value(values, "beta");
  if (!alpha || !beta) return std::nullopt;
  return *beta / (*alpha + *beta);
}

// One fit under way; each step fills its part of the result.
class Fitting {
 public:
  Fitting(const std::vector<Point>& points, const FitOptions& options, FitResult& result)
      : points_(points),
        options_(options),
        result_(result),
        law_(make_law(options.law, points, options.choice())),
        objective_(*law_, points, options.delta),
        groups_(resampling_groups(*law_, points)),
        checkpoints_(are_checkpoints(*law_, points)) {}

  void run() {
    describe();
    const bool fitted = refuse_by_data() && search();
    if (fitted) judge();
    if (fitted && result_.refused.empty() && options_.resamples > 0) {
      const Eigen::ArrayXd fitted = objective_.predict(theta_);
      if (checkpoints_ && !law_->within_runs()) {
        resample();
        take_resamples();
      } else {
        if (options_.second_opinions) resample(), profile(fitted);
        draw(fitted);
      }
      tell_estimates_outside();
    }
    predict();
  }

 private:
  void describe() {
    result_.law = law_->name();
    result_.formula = law_->formula();
    result_.axis = law_->axis();
    result_.points = static_cast<int>(points_.size());
    result_.groups = groups_.empty() ? 0 : 1 + *std::max_element(groups_.begin(), groups_.end());
    result_.within_runs = checkpoints_;
    result_.delta = options_.delta;
    result_.noise = options_.noise;
    result_.confidence = options_.confidence;
  }

  // True when a fit is worth trying.
  bool refuse_by_data() {
    Reasons& why = result_.refused;
    if (points_.empty()) why.push_back("no points");
    refuse_nonpositive(points_, *law_, why);
    if (!why.empty()) return valid_ = false;
    for (std::string& reason : law_->design_refusals(points_)) why.push_back(std::move(reason));
    // Of a design that confounds its axes no trend is claimed.
    const bool sound = why.empty();
    refuse_flat_or_rising(points_, sound && law_->reads(Axis::params), sound && law_->reads(Axis::tokens), why);
    const SeedNoise seeds = seed_noise(points_);
    if (seeds.freedom > 0 && repeats_are_seeds(points_)) result_.noise_sd = seeds.sd;
    return why.empty();
  }

  bool search() {
    std::vector<Eigen::VectorXd> starts = grid_of_starts(objective_);
    size_t i = 0;
    if (options_.again) std::erase_if(starts, [&](const auto&) { return i++ % kStartsAgain != 0; });
    optimum_ = minimise(objective_, starts);
    if (optimum_.basins.empty()) {
      result_.refused.push_back("no start of the grid gives a finite objective");
      return false;
    }
    theta_ = optimum_.basins[0].theta;
    result_.objective = optimum_.basins[0].objective;
    result_.starts = optimum_.starts;
    result_.starts_at_best = optimum_.starts_at_best;
    result_.params = named(theta_);
    if (optimum_.basins.size() > 1)
      result_.second_basin = Basin{optimum_.basins[1].objective, named(optimum_.basins[1].theta), optimum_.arrivals[1]};
    if (!options_.again) check();
    return true;
  }

  void check() {
    const Projection projection = project(objective_);
    result_.projected_objective = projection.objective;
    result_.descended_objective = optimum_.least_squares;
    const double apart = std::abs(projection.objective - optimum_.least_squares);
    if (apart > kAgreement * projection.objective + 1e-20)
      result_.warnings.push_back(
          fmt::format("the two searches disagree: least squares of log loss {:.10g} by variable "
                      "projection, {:.10g} by descent; the optimum may not be the global one",
                      projection.objective, optimum_.least_squares));
  }

  // What the optimum is worth.
  void judge() {
    const Eigen::ArrayXd predicted = objective_.predict(theta_);
    const int n = result_.points, p = law_->dimension();
    const Eigen::ArrayXd log_residuals = objective_.log_loss() - predicted;
    for (int i = 0; i < n; ++i) {
      const double fitted = std::exp(predicted[i]);
      result_.fits.push_back({fitted, points_[i].loss - fitted});
    }
    const double squares = log_residuals.square().sum();
    if (n > p) result_.residual_sd = std::sqrt(squares / (n - p));
    const int k = p + 1;
    if (n - k - 1 > 0 && squares > 0)
      result_.aicc = n * std::log(squares / n) + 2.0 * k + 2.0 * k * (k + 1) / (n - k - 1);
    result_.condition = condition_number(objective_.jacobian(theta_));
    result_.a_opt = a_opt_of(result_.params);
    tell_bounds();
    const std::string far = far_sentence(far_observations(*law_, points_, predicted));
    if (!far.empty()) result_.warnings.push_back(far);
    const int spare = result_.groups - p;
    if (spare < kSpareForIntervals) {
      std::string names;
      for (const NamedValue& v : result_.params) names += (names.empty() ? "" : ", ") + v.name;
      const std::string what =
          checkpoints_ ? fmt::format("{} run{} (the checkpoints of a run are not independent of each other)",
                                     result_.groups, result_.groups == 1 ? "" : "s")
                       : fmt::format("{} configurations", result_.groups);
      result_.refused.push_back(
          fmt::format("{} for {} parameters leave {} to judge the fit by: {} are not identified, and no interval is "
                      "given; what every "
                      "law within ±{:.3g} of the points says is given instead",
                      what, p, spare <= 0 ? "nothing" : std::to_string(spare), names, options_.noise));
    }
    if (*result_.condition > kIllConditioned)
      result_.refused.push_back(
          fmt::format("the points do not determine the parameters: condition number {:.2g}", *result_.condition));
    result_.identified = result_.refused.empty() && result_.at_bound.empty();
  }

  void tell_bounds() {
    const double smallest = std::exp(objective_.log_loss().minCoeff());
    const Eigen::VectorXd amplitudes = objective_.amplitudes(theta_);
    for (int k = 0; k < objective_.terms(); ++k) {
      if (amplitudes[k] > kZeroAmplitude * smallest) continue;
      result_.at_bound.push_back(law_->terms()[k]);
      zero(law_->terms()[k]);
    }
    for (size_t j = 0; j < law_->shapes().size(); ++j) {
      const Shape& shape = law_->shapes()[j];
      const double at = theta_[objective_.terms() + j];
      if (at <= shape.lower * 1.001 || at >= shape.upper * 0.999) result_.at_bound.push_back(shape.name);
    }
    if (!result_.at_bound.empty())
      result_.warnings.push_back(fmt::format("{} rest{} on a bound: the points would pull {} further",
                                             fmt::join(result_.at_bound, ", "), result_.at_bound.size() == 1 ? "s" : "",
                                             result_.at_bound.size() == 1 ? "it" : "them"));
  }

  // Below rounding an amplitude is told as zero.
  void zero(const std::string& name) {
    for (NamedValue& v : result_.params) {
      if (v.name == name) v.value = 0;
    }
  }

  // The second opinion: what the points' own spread says.
  void resample() {
    std::vector<Eigen::VectorXd> minima = {theta_};
    if (optimum_.basins.size() > 1 && optimum_.basins[1].objective < 1.5 * result_.objective)
      minima.push_back(optimum_.basins[1].theta);
    const Bootstrap draws = bootstrap(*law_, points_, options_.delta, minima, options_.resamples, options_.seed);
    result_.resamples = static_cast<int>(draws.thetas.size());
    if (checkpoints_) resamples_ = draws.thetas;
    if (result_.resamples < std::max(20, options_.resamples / 2)) {
      result_.warnings.push_back("too few resamples of these points can carry the law: no bootstrap");
      result_.resamples = 0;
      resamples_.clear();
      return;
    }
    auto values = values_of(draws.thetas), without = values_of(draws.without);
    for (const NamedValue& v : with_a_opt(result_.params)) {
      // Below this many groups a jackknife says little of how the spread changes.
      result_.bootstrap[v.name] =
          result_.groups >= kGroupsForBca && static_cast<int>(draws.without.size()) == draws.parts
              ? bca_interval(std::move(values[v.name]), v.value, without[v.name], options_.confidence)
              : percentile_interval(std::move(values[v.name]), options_.confidence);
    }
  }

  // Of checkpoints the only opinion: no likelihood takes a run's for independent, and a resample draws runs whole.
  void take_resamples() {
    if (result_.resamples == 0) return;
    result_.intervals = result_.bootstrap;
    result_.interval_method = fmt::format("resamples of whole runs ({} of {} runs)", result_.resamples, result_.groups);
  }

  // The third: profiles of least squares.
  void profile(const Eigen::ArrayXd& fitted) {
    const Observations observed = observations(*law_, points_, fitted);
    if (observed.freedom < 1) return;
    Objective squares(*law_, observed.points, HUGE_VAL);
    squares.set_weights(observed.weights);
    Descent least = descend(squares, theta_);
    for (const Eigen::VectorXd& start : with_lifted(squares, {theta_})) {
      Descent other = descend(squares, start);
      if (other.objective < least.objective) least = std::move(other);
    }
    // Of least squares, and so not quite about a robust estimate.
    result_.profile = profile_intervals(*law_, observed, least.theta, options_.confidence);
  }

  // The first: draws from the posterior, by which targets are predicted too.
  void draw(const Eigen::ArrayXd& fitted) {
    if (observations(*law_, points_, fitted).freedom < 1) return;
    auto drawn = draw_posterior(points_, options_, kDraws, fitted);
    if (!drawn) return;
    posterior_ = std::make_shared<const Posterior>(std::move(*drawn));
    result_.posterior = posterior_;
    std::map<std::string, std::vector<double>> values;
    for (int k = 0; k < posterior_->size(); ++k) {
      for (const NamedValue& v : with_a_opt(posterior_->params(k))) values[v.name].push_back(v.value);
    }
    for (const NamedValue& v : with_a_opt(result_.params))
      result_.intervals[v.name] = percentile_interval(std::move(values[v.name]), options_.confidence);
    result_.interval_method =
        fmt::format("posterior of the parameters if the law holds, noise and all basins included ({} draws)", kDraws);
    auto surface = draw_surface(points_, options_, kSurfaceDraws, fitted);
    if (surface) result_.surface = std::make_shared<const Surface>(std::move(*surface));
  }

  // An estimate may rest on a bound, where no draw lies, or lean on configurations that the intervals count less.
  void tell_estimates_outside() {
    std::vector<std::string> names;
    for (const NamedValue& v : with_a_opt(result_.params))
      if (const auto at = result_.intervals.find(v.name);
          at != result_.intervals.end() && (v.value < at->second.first || v.value > at->second.second))
        names.push_back(
            fmt::format("{} ({:.4g}; {:.4g} to {:.4g})", v.name, v.value, at->second.first, at->second.second));
    if (!names.empty())
      result_.warnings.push_back(
          fmt::format("the estimate of {} lies outside of its interval: it rests on a bound, or leans on "
                      "configurations far from the "
                      "law, which intervals count less",
                      fmt::join(names, ", ")));
  }

  static std::vector<NamedValue> with_a_opt(std::vector<NamedValue> values) {
    if (const auto a = a_opt_of(values)) values.push_back({"a_opt", *a});
    return values;
  }

  std::map<std::string, std::vector<double>> values_of(const std::vector<Eigen::VectorXd>& thetas) const {
    std::map<std::string, std::vector<double>> values;
    for (const auto& theta : thetas) {
      for (const NamedValue& v : with_a_opt(named(theta))) values[v.name].push_back(v.value);
    }
    return values;
  }

  void predict() {
    for (size_t t = 0; t < options_.targets.size(); ++t) {
      Prediction prediction;
      prediction.target = options_.targets[t];
      if (valid_) predict_one(static_cast<uint64_t>(t), prediction);
      if (!prediction.refused.empty())
        result_.warnings.push_back(
            fmt::format("nothing is said of {}: {}", target_name(prediction.target, t), prediction.refused));
      result_.predictions.push_back(std::move(prediction));
    }
  }

  void predict_one(uint64_t number, Prediction& prediction) {
    prediction.refused = law_->missing(prediction.target);
    if (!prediction.refused.empty()) return;
    prediction.beyond = law_->beyond_points(points_, prediction.target);
    prediction.refused = too_far(prediction.beyond, options_.extrapolation_limit);
    if (!prediction.refused.empty()) return;
    const Point at = point_at(prediction.target);
    Eigen::VectorXd hint;
    if (result_.has_params()) {
      hint = objective_.shapes(theta_);
      prediction.loss = law_at(*law_, objective_.amplitudes(theta_), hint, at);
      if (prediction.beyond.most() > kFarExtrapolation)
        result_.warnings.push_back(
            fmt::format("{} lies {}", target_name(prediction.target, number), prediction.beyond.text()));
    }
    if (result_.surface)
      predict_by_surface(number, prediction);
    else if (!resamples_.empty() && !law_->within_runs())
      prediction.interval = resampled_interval(number, at);
    else if (options_.feasible_ranges)
      prediction.feasible = feasible_range(*law_, points_, at, options_.noise, hint);
  }

  // Of a new run: each draw of the surface, and of the law alone, with the noise that belongs to it.
  void predict_by_surface(uint64_t number, Prediction& prediction) {
    const RunForecast run = forecast(*result_.surface, {prediction.target}, options_.confidence)[0];
    prediction.expected = run.expected;
    prediction.interval = run.interval;
    prediction.law_interval = spread_with_noise(posterior_->predict({prediction.target}).col(0), posterior_->noise(),
                                                options_.confidence, options_.seed, number);
    const Interval& interval = *prediction.interval;
    if (prediction.loss && (*prediction.loss < interval.first || *prediction.loss > interval.second))
      result_.warnings.push_back(
          fmt::format("{}: what the law says ({:.4g}) lies outside of the interval ({:.4g} to {:.4g}), which goes by "
                      "the nearest runs as "
                      "well",
                      target_name(prediction.target, number), *prediction.loss, interval.first, interval.second));
  }

  // The same by the laws of resampled runs, with the scatter of the points about the law.
  Interval resampled_interval(uint64_t number, const Point& at) const {
    const uint64_t stream = static_cast<uint64_t>(Stream::bootstrap) << 48 | UINT64_C(1) << 47 | number;
    std::vector<double> values;
    for (size_t k = 0; k < resamples_.size(); ++k) {
      const Eigen::VectorXd& theta = resamples_[k];
      const double z = normal_quantile(random_unit(options_.seed, stream, k) + 0x1p-54);
      values.push_back(law_at(*law_, objective_.amplitudes(theta), objective_.shapes(theta), at) *
                       std::exp(result_.residual_sd.value_or(0) * z));
    }
    return percentile_interval(std::move(values), options_.confidence);
  }

  std::vector<NamedValue> named(const Eigen::VectorXd& theta) const {
    return law_->named(objective_.amplitudes(theta), objective_.shapes(theta));
  }

  const std::vector<Point>& points_;
  const FitOptions& options_;
  FitResult& result_;
  std::unique_ptr<Law> law_;
  Objective objective_;
  std::vector<int> groups_;
  bool checkpoints_;                        // points are checkpoints of runs
  std::vector<Eigen::VectorXd> resamples_;  // of whole runs, where `checkpoints_`
  bool valid_ = true;                       // every point has its logarithms
  Optimum optimum_;
  Eigen::VectorXd theta_;
  std::shared_ptr<const Posterior> posterior_;
};

}  // namespace

FitResult fit_law(const std::vector<Point>& points, const FitOptions& options) {
  FitResult result;
  Fitting(points, options, result).run();
  return result;
}

}  // namespace bitsweep::fit
