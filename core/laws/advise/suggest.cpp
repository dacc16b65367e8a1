#include "advise/suggest.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "base/error.h"
#include "base/statistics.h"
#include "fit/distributions.h"
#include "fit/fit.h"

namespace bitsweep::advise {
namespace {

// What a law is expected to miss where runs are planned: less than where a run is foretold, since a design that trusts
// the law too little spends on large runs what small ones would have told.
constexpr double kExpectedDiscrepancy = 0.005;
constexpr int kSpareConfigurations = 3;  // beyond the parameters, from which a fit is trusted without a prior
constexpr double kFeatureFloor = 0.25;   // of the noise's sd: what draws differ by less cannot be measured
constexpr double kTargetFloor = 0.05;    // of a target's variance: so exact it is told, however large the noise

fit::Target place_of(const Candidate& candidate) {
  fit::Target place;
  place.params = candidate.params;
  place.tokens = candidate.tokens;
  place.unique_tokens = candidate.unique_tokens;
  place.variant = candidate.variant;
  place.dataset = candidate.dataset;
  return place;
}

bool same_place(const fit::Point& point, const Candidate& candidate) {
  const auto near = [](double a, double b) { return std::abs(a - b) <= 1e-6 * std::abs(b); };
  return near(point.params, candidate.params) && near(point.tokens, candidate.tokens) &&
         point.variant == candidate.variant;
}

double middle(const Eigen::VectorXd& values) { return median({values.begin(), values.end()}); }

class Suggesting {
 public:
  Suggesting(const std::vector<fit::Point>& points, const std::vector<Candidate>& candidates,
             const SuggestOptions& options)
      : points_(points), candidates_(candidates), options_(options), law_(make_law(options.law, points)) {}

  Suggestion run() {
    begin();
    rank();
    choose();
    return std::move(result_);
  }

  std::vector<double> left_by(const std::vector<double>& budgets) {
    begin();
    std::vector<double> left;
    for (const double budget : budgets) {
      BatchLimits limits = options_.limits;
      limits.cost = budget;
      const std::vector<double> variances = target_variances(problem_, choose_batch(problem_, limits).picks);
      double mean = 0;
      for (size_t t = 0; t < variances.size(); ++t)
        mean += variances[t] * std::pow(result_.targets[t].loss, 2) / static_cast<double>(variances.size());
      left.push_back(left.empty() ? mean : std::min(mean, left.back()));
    }
    return left;
  }

 private:
  void begin() {
    check();
    sample();
    pose();
    look_out();
  }

  void check() const {
    if (points_.empty()) throw Error(ErrorKind::input, "no finished run to set out from");
    if (options_.targets.empty()) throw Error(ErrorKind::input, "no target to predict");
    for (const fit::Target& target : options_.targets)
      if (const std::string missing = law_->missing(target); !missing.empty())
        throw Error(ErrorKind::input, "a target cannot be predicted: " + missing);
  }

  // By which runs far from the law count less, as in predictions; nothing where the runs carry no fit.
  Eigen::ArrayXd log_fitted(const fit::FitOptions& options) const {
    return fit_law(points_, parameters_alone(options)).log_fitted();
  }

  void sample() {
    fit::FitOptions options;
    options.law = options_.law;
    options.seed = options_.seed;
    double mean = 0;
    for (const fit::Point& point : points_) mean += point.loss / static_cast<double>(points_.size());
    options.noise = 2 * options_.noise * mean;  // the posterior takes it for the size of the largest residuals
    const auto surface = draw_surface(points_, options, options_.draws, log_fitted(options), kExpectedDiscrepancy);
    if (!surface) throw Error(ErrorKind::input, "runs with no size, length or loss above zero tell nothing");
    std::vector<fit::Target> places;
    for (const Candidate& candidate : candidates_) places.push_back(place_of(candidate));
    places.insert(places.end(), options_.targets.begin(), options_.targets.end());
    values_ = surface->predict(places).array().log().matrix();
    const std::vector<int> groups = group_by_configuration(points_);
    result_.law = law_->name();
    result_.formula = law_->formula();
    result_.points = static_cast<int>(points_.size());
    result_.configurations = 1 + *std::max_element(groups.begin(), groups.end());
    result_.draws = surface->size();
    result_.noise = problem_.noise = estimate_noise(points_, *surface, options_.noise);
    result_.leans_on_prior = law_->design_refusals(points_);
    if (result_.configurations < law_->dimension() + kSpareConfigurations && result_.leans_on_prior.empty())
      result_.leans_on_prior.push_back(
          fmt::format("{} configurations for {} parameters; {} more than parameters are "
                      "needed before the points speak for themselves",
                      result_.configurations, law_->dimension(), kSpareConfigurations));
  }

  double feature_floor() const {
    double floor = kFeatureFloor * kFeatureFloor * problem_.noise.variance(1);
    for (auto t = static_cast<Eigen::Index>(candidates_.size()); t < values_.cols(); ++t) {
      const Eigen::ArrayXd about = values_.col(t).array() - values_.col(t).mean();
      floor = std::min(floor, kTargetFloor * about.square().mean());
    }
    return floor;
  }

  void pose() {
    const auto count = static_cast<Eigen::Index>(candidates_.size());
    const Eigen::MatrixXd features = features_of(values_, feature_floor());
    problem_.candidates = features.leftCols(count);
    problem_.targets = features.rightCols(features.cols() - count);
    for (const Candidate& candidate : candidates_) {
      problem_.cost.push_back(candidate.cost);
      problem_.available.push_back(candidate.available);
      problem_.measured.push_back(static_cast<int>(std::count_if(
          points_.begin(), points_.end(), [&](const fit::Point& point) { return same_place(point, candidate); })));
    }
  }

  void rank() {
    const Eigen::ArrayXd gains = single_gains(problem_);
    std::vector<size_t> order(candidates_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return gains[a] / candidates_[a].cost > gains[b] / candidates_[b].cost;
    });
    for (const size_t c : order) result_.ranking.push_back({c, gains[c]});
  }

  double z() const { return fit::normal_quantile(0.5 + options_.confidence / 2); }

  void look_out() {
    for (size_t t = 0; t < options_.targets.size(); ++t) {
      TargetOutlook outlook;
      outlook.target = options_.targets[t];
      outlook.loss = std::exp(middle(values_.col(static_cast<Eigen::Index>(candidates_.size() + t))));
      outlook.half_width = z() * outlook.loss * problem_.targets.col(t).norm();
      result_.targets.push_back(outlook);
    }
  }

  void choose() {
    const Batch batch = options_.aim ? cheapest() : choose_batch(problem_, options_.limits);
    double before = 1;
    for (size_t i = 0; i < batch.picks.size(); ++i) {
      const size_t c = batch.picks[i];
      result_.batch.push_back({c, std::exp(middle(values_.col(c))), before - batch.remaining[i], batch.remaining[i]});
      before = batch.remaining[i];
    }
    result_.cost = batch.cost;
    const std::vector<double> left = target_variances(problem_, batch.picks);
    for (size_t t = 0; t < left.size(); ++t)
      result_.targets[t].half_width_after = z() * result_.targets[t].loss * std::sqrt(left[t]);
  }

  // The aim is for every target; the search knows their mean, so the widest one sets the goal.
  Batch cheapest() const {
    double goal = 1;
    for (const TargetOutlook& outlook : result_.targets)
      goal = std::min(goal, std::pow(*options_.aim / std::max(outlook.half_width, 1e-300), 2));
    return cheapest_batch(problem_, options_.limits.runs, goal).value_or(Batch{});
  }

  const std::vector<fit::Point>& points_;
  const std::vector<Candidate>& candidates_;
  const SuggestOptions& options_;
  std::unique_ptr<fit::Law> law_;
  Eigen::MatrixXd values_;  // log losses, [draws, candidates and targets]
  DesignProblem problem_;
  Suggestion result_;
};

}  // namespace

Suggestion suggest(const std::vector<fit::Point>& points, const std::vector<Candidate>& candidates,
                   const SuggestOptions& options) {
  return Suggesting(points, candidates, options).run();
}

std::vector<double> variance_left(const std::vector<fit::Point>& points, const std::vector<Candidate>& candidates,
                                  const SuggestOptions& options, const std::vector<double>& budgets) {
  return Suggesting(points, candidates, options).left_by(budgets);
}

}  // namespace bitsweep::advise
