#include "fit/fit.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/rng.h"
#include "base/units.h"
#include "fit/bootstrap.h"
#include "fit/feasible.h"
#include "fit/objective.h"
#include "fit/optimise.h"
#include "fit/projection.h"
#include "fit/refuse.h"

namespace bitsweep {
namespace {

constexpr int kSpareForIntervals = 3;     // n − p from which intervals are given
constexpr double kZeroAmplitude = 1e-9;   // of the smallest loss: an amplitude below is on its bound, zero
constexpr double kFarExtrapolation = 30;  // factor beyond which a prediction carries a warning
constexpr double kIllConditioned = 1e6;
constexpr double kAgreement = 1e-8;  // between descent and projection

Point as_point(const Target& target) {
  Point point;
  point.params = target.params > 0 ? target.params : 1;
  point.tokens = target.tokens > 0 ? target.tokens : 1;
  point.loss = 1;
  point.variant = target.variant;
  point.dataset = target.dataset;
  point.unique_tokens = target.unique_tokens;
  point.lr_area = target.lr_area > 0 ? target.lr_area : 1;
  point.annealing = target.annealing;
  return point;
}

double law_at(const Law& law, const Eigen::VectorXd& amplitudes, const Eigen::VectorXd& shapes, const Point& at) {
  Basis basis;
  law.evaluate(law.coordinates({at}), shapes, 0, basis);
  return (basis.value.matrix() * amplitudes)(0);
}

bool target_complete(const Law& law, const Target& target) {
  return (!law.reads(Axis::params) || target.params > 0) && (!law.reads(Axis::tokens) || target.tokens > 0);
}

std::optional<double> named_value(const std::vector<NamedValue>& values, const std::string& name) {
  for (const NamedValue& v : values) {
    if (v.name == name) return v.value;
  }
  return std::nullopt;
}

std::optional<double> a_opt_of(const std::vector<NamedValue>& values) {
  const auto alpha = named_value(values, "alpha"), beta = named_value(values, "beta");
  if (!alpha || !beta) return std::nullopt;
  return *beta / (*alpha + *beta);
}

// The pooled scatter of log loss within configurations that were run with several seeds.
std::optional<double> seed_noise(const std::vector<Point>& points, const std::vector<int>& groups, int count) {
  std::vector<double> sum(count, 0), size(count, 0);
  for (size_t i = 0; i < points.size(); ++i) sum[groups[i]] += std::log(points[i].loss), size[groups[i]] += 1;
  double squares = 0, freedom = 0;
  for (size_t i = 0; i < points.size(); ++i)
    squares += std::pow(std::log(points[i].loss) - sum[groups[i]] / size[groups[i]], 2);
  for (const double n : size) freedom += n - 1;
  if (freedom < 1) return std::nullopt;
  return std::sqrt(squares / freedom);
}

double condition_number(const Eigen::MatrixXd& jacobian) {
  Eigen::MatrixXd scaled = jacobian;
  for (Eigen::Index j = 0; j < scaled.cols(); ++j) {
    const double length = scaled.col(j).norm();
    if (length > 0) scaled.col(j) /= length;
  }
  const Eigen::VectorXd values = scaled.jacobiSvd().singularValues();
  const double smallest = values[values.size() - 1];
  return scaled.rows() < scaled.cols() || smallest <= 0 ? HUGE_VAL : values[0] / smallest;
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
        groups_(group_by_configuration(points)) {}

  void run() {
    describe();
    const bool fitted = refuse_by_data() && search();
    if (fitted) judge();
    const bool intervals = fitted && result_.refused.empty();
    if (intervals) resample();
    predict();
  }

 private:
  void describe() {
    result_.law = law_->name();
    result_.formula = law_->formula();
    result_.axis = law_->axis();
    result_.points = static_cast<int>(points_.size());
    result_.groups = groups_.empty() ? 0 : 1 + *std::max_element(groups_.begin(), groups_.end());
    result_.delta = options_.delta;
    result_.noise = options_.noise;
    result_.confidence = options_.confidence;
  }

  // True when a fit is worth trying.
  bool refuse_by_data() {
    Reasons& why = result_.refused;
    if (points_.empty()) why.push_back("no points");
    refuse_nonpositive(points_, law_->reads(Axis::params), law_->reads(Axis::tokens), why);
    if (!why.empty()) return valid_ = false;
    for (std::string& reason : law_->design_refusals(points_)) why.push_back(std::move(reason));
    // Of a design that confounds its axes no trend is claimed.
    const bool sound = why.empty();
    refuse_flat_or_rising(points_, sound && law_->reads(Axis::params), sound && law_->reads(Axis::tokens), why);
    result_.noise_sd = seed_noise(points_, groups_, result_.groups);
    return why.empty();
  }

  bool search() {
    optimum_ = minimise(objective_, grid_of_starts(objective_));
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
    const Projection projection = project(objective_);
    result_.projected_objective = projection.objective;
    result_.descended_objective = optimum_.least_squares;
    const double apart = std::abs(projection.objective - optimum_.least_squares);
    if (apart > kAgreement * projection.objective + 1e-20)
      result_.warnings.push_back(
          fmt::format("the two searches disagree: least squares of log loss {:.10g} by variable "
                      "projection, {:.10g} by descent; the optimum may not be the global one",
                      projection.objective, optimum_.least_squares));
    return true;
  }

  // What the optimum is worth.
  void judge() {
    const Eigen::ArrayXd predicted = objective_.predict(theta_);
    const int n = result_.points, p = law_->dimension();
    log_residuals_ = objective_.log_loss() - predicted;
    for (int i = 0; i < n; ++i) {
      const double fitted = std::exp(predicted[i]);
      result_.fits.push_back({fitted, points_[i].loss - fitted});
    }
    const double squares = log_residuals_.square().sum();
    if (n > p) result_.residual_sd = std::sqrt(squares / (n - p));
    const int k = p + 1;
    if (n - k - 1 > 0 && squares > 0)
      result_.aicc = n * std::log(squares / n) + 2.0 * k + 2.0 * k * (k + 1) / (n - k - 1);
    result_.condition = condition_number(objective_.jacobian(theta_));
    result_.a_opt = a_opt_of(result_.params);
    tell_bounds();
    const int spare = result_.groups - p;
    if (spare < kSpareForIntervals) {
      std::string names;
      for (const NamedValue& v : result_.params) names += (names.empty() ? "" : ", ") + v.name;
      result_.refused.push_back(fmt::format(
          "{} configurations for {} parameters leave {} to judge the fit by: {} are not identified, and no interval is "
          "given; what every law within ±{:.3g} of the points says is given instead",
          result_.groups, p, spare == 0 ? "nothing" : std::to_string(spare), names, options_.noise));
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

  // Below rounding an amplitude is zero, and told as zero.
  void zero(const std::string& name) {
    for (NamedValue& v : result_.params) {
      if (v.name == name) v.value = 0;
    }
  }

  void resample() {
    if (options_.resamples <= 0) return;
    std::vector<Eigen::VectorXd> minima = {theta_};
    if (optimum_.basins.size() > 1 && optimum_.basins[1].objective < 1.5 * result_.objective)
      minima.push_back(optimum_.basins[1].theta);
    draws_ = bootstrap(*law_, points_, options_.delta, minima, options_.resamples, options_.seed);
    result_.resamples = static_cast<int>(draws_.thetas.size());
    if (result_.resamples < std::max(20, options_.resamples / 2)) {
      result_.warnings.push_back("too few resamples of these points can carry the law: no intervals");
      draws_.thetas.clear();
      result_.resamples = 0;
      return;
    }
    std::map<std::string, std::vector<double>> values;
    for (const auto& theta : draws_.thetas) {
      const auto drawn = named(theta);
      for (const NamedValue& v : drawn) values[v.name].push_back(v.value);
      if (const auto a = a_opt_of(drawn)) values["a_opt"].push_back(*a);
    }
    for (auto& [name, drawn] : values)
      result_.intervals[name] = percentile_interval(std::move(drawn), options_.confidence);
  }

  void predict() {
    for (size_t t = 0; t < options_.targets.size(); ++t) {
      Prediction prediction;
      prediction.target = options_.targets[t];
      const bool complete = valid_ && target_complete(*law_, prediction.target);
      if (!complete && valid_)
        result_.warnings.push_back(fmt::format("target {} has no value for an axis of the law", t + 1));
      if (complete) predict_one(static_cast<uint64_t>(t), prediction);
      result_.predictions.push_back(std::move(prediction));
    }
  }

  void predict_one(uint64_t number, Prediction& prediction) {
    const Point at = as_point(prediction.target);
    prediction.extrapolation = law_->extrapolation(points_, prediction.target);
    Eigen::VectorXd hint;
    if (result_.has_params()) {
      hint = objective_.shapes(theta_);
      prediction.loss = law_at(*law_, objective_.amplitudes(theta_), hint, at);
      if (prediction.extrapolation > kFarExtrapolation)
        result_.warnings.push_back(fmt::format("target {} lies a factor of {} outside of the points", number + 1,
                                               format_count(prediction.extrapolation)));
    }
    if (draws_.thetas.empty())
      prediction.feasible = feasible_range(*law_, points_, at, options_.noise, hint);
    else
      prediction.interval = prediction_interval(number, at);
  }

  // Each draw of the law's parameters meets one residual of the fit, widened for the parameters it cost.
  Interval prediction_interval(uint64_t number, const Point& at) const {
    const uint64_t n = points_.size();
    const double widen = std::sqrt(static_cast<double>(n) / static_cast<double>(n - law_->dimension()));
    std::vector<double> values;
    for (size_t i = 0; i < draws_.thetas.size(); ++i) {
      const auto& theta = draws_.thetas[i];
      const uint64_t stream = static_cast<uint64_t>(Stream::bootstrap) << 48 | UINT64_C(1) << 47 | number;
      const double noise = widen * log_residuals_[random_below(options_.seed, stream, i, n)];
      values.push_back(law_at(*law_, objective_.amplitudes(theta), objective_.shapes(theta), at) * std::exp(noise));
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
  bool valid_ = true;  // every point has its logarithms
  Optimum optimum_;
  Eigen::VectorXd theta_;
  Eigen::ArrayXd log_residuals_;
  Bootstrap draws_;
};

}  // namespace

std::optional<double> FitResult::param(const std::string& name) const { return named_value(params, name); }

FitResult fit_law(const std::vector<Point>& points, const FitOptions& options) {
  FitResult result;
  Fitting(points, options, result).run();
  return result;
}

Evaluation evaluate_law(const std::vector<Point>& points, const std::vector<double>& named_values,
                        const FitOptions& options) {
  const auto law = make_law(options.law, points, options.choice());
  Eigen::VectorXd amplitudes, shapes;
  law->from_named(named_values, amplitudes, shapes);
  Evaluation evaluation;
  for (const Point& point : points) {
    const double fitted = law_at(*law, amplitudes, shapes, point);
    evaluation.objective += huber(std::log(fitted / point.loss), options.delta);
    evaluation.fits.push_back({fitted, point.loss - fitted});
  }
  for (const Target& target : options.targets)
    evaluation.predictions.push_back(law_at(*law, amplitudes, shapes, as_point(target)));
  return evaluation;
}

}  // namespace bitsweep
