#include "suggest/suggest.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "base/error.h"

namespace bitsweep {
namespace {

constexpr int kSpareConfigurations = 3;  // beyond the parameters, from which a fit is trusted without a prior
constexpr double kFeatureFloor = 0.05;   // of the noise's sd: what draws differ by less cannot be measured

Point target_place(const Target& target) {
  Point point;
  point.params = target.params, point.tokens = target.tokens, point.loss = 1;
  point.variant = target.variant, point.dataset = target.dataset;
  return point;
}

Point candidate_place(const Candidate& candidate) {
  Point point;
  point.params = candidate.params, point.tokens = candidate.tokens, point.loss = 1;
  point.unique_tokens = candidate.unique_tokens;
  point.variant = candidate.variant, point.dataset = candidate.dataset;
  return point;
}

bool same_place(const Point& point, const Candidate& candidate) {
  const auto near = [](double a, double b) { return std::abs(a - b) <= 1e-6 * std::abs(b); };
  return near(point.params, candidate.params) && near(point.tokens, candidate.tokens) &&
         point.variant == candidate.variant;
}

// The quantile of the standard normal that leaves `confidence` in the middle, by bisection on erf.
double normal_half_width(double confidence) {
  double low = 0, high = 10;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (std::erf(middle / std::sqrt(2.0)) < confidence ? low : high) = middle;
  }
  return low;
}

double median(Eigen::VectorXd values) {
  const auto middle = values.data() + values.size() / 2;
  std::nth_element(values.data(), middle, values.data() + values.size());
  return *middle;
}

class Suggesting {
 public:
  Suggesting(const std::vector<Point>& points, const std::vector<Candidate>& candidates, const SuggestOptions& options)
      : points_(points), candidates_(candidates), options_(options), law_(make_law(options.law, points)) {}

  Suggestion run() {
    check();
    sample();
    pose();
    rank();
    choose();
    return std::move(result_);
  }

 private:
  void check() const {
    if (points_.empty()) throw Error(ErrorKind::input, "no finished run to set out from");
    if (options_.targets.empty()) throw Error(ErrorKind::input, "no target to predict");
    for (const Target& target : options_.targets)
      if (const std::string missing = law_->missing(target); !missing.empty()) throw Error(ErrorKind::input, missing);
  }

  void sample() {
    const LawDraws drawn = draw_law(*law_, points_, options_.draws);
    std::vector<Point> places;
    for (const Candidate& candidate : candidates_) places.push_back(candidate_place(candidate));
    for (const Target& target : options_.targets) places.push_back(target_place(target));
    values_ = log_losses(*law_, drawn.thetas, places);
    result_.law = law_->name(), result_.formula = law_->formula();
    result_.points = static_cast<int>(points_.size());
    result_.configurations = drawn.configurations;
    result_.basins = drawn.basins;
    result_.draws = static_cast<int>(drawn.thetas.size());
    result_.noise = problem_.noise = drawn.noise;
    result_.leans_on_prior = law_->design_refusals(points_);
    if (drawn.configurations < law_->dimension() + kSpareConfigurations && result_.leans_on_prior.empty())
      result_.leans_on_prior.push_back(
          fmt::format("{} configurations for {} parameters; {} more than parameters are "
                      "needed before the points speak for themselves",
                      drawn.configurations, law_->dimension(), kSpareConfigurations));
  }

  void pose() {
    const auto count = static_cast<Eigen::Index>(candidates_.size());
    const double floor = kFeatureFloor * std::sqrt(problem_.noise.variance(1));
    const Eigen::MatrixXd features = features_of(values_, floor * floor);
    problem_.candidates = features.leftCols(count);
    problem_.targets = features.rightCols(features.cols() - count);
    for (const Candidate& candidate : candidates_) {
      problem_.cost.push_back(candidate.cost);
      problem_.available.push_back(candidate.available);
      problem_.measured.push_back(static_cast<int>(std::count_if(
          points_.begin(), points_.end(), [&](const Point& point) { return same_place(point, candidate); })));
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

  void choose() {
    const double z = normal_half_width(options_.confidence);
    for (size_t t = 0; t < options_.targets.size(); ++t) {
      TargetOutlook outlook;
      outlook.target = options_.targets[t];
      outlook.loss = std::exp(median(values_.col(static_cast<Eigen::Index>(candidates_.size() + t))));
      outlook.half_width = z * outlook.loss * problem_.targets.col(t).norm();
      result_.targets.push_back(outlook);
    }
    const Batch batch = options_.aim ? cheapest() : choose_batch(problem_, options_.limits);
    double before = 1;
    for (size_t i = 0; i < batch.picks.size(); ++i) {
      const size_t c = batch.picks[i];
      result_.batch.push_back({c, std::exp(median(values_.col(c))), before - batch.remaining[i], batch.remaining[i]});
      before = batch.remaining[i];
    }
    result_.cost = batch.cost;
    const std::vector<double> left = target_variances(problem_, batch.picks);
    for (size_t t = 0; t < left.size(); ++t)
      result_.targets[t].half_width_after = z * result_.targets[t].loss * std::sqrt(left[t]);
  }

  // The aim is for every target; the search knows their mean, so the widest one sets the goal.
  Batch cheapest() const {
    double goal = 1;
    for (const TargetOutlook& outlook : result_.targets)
      goal = std::min(goal, std::pow(*options_.aim / std::max(outlook.half_width, 1e-300), 2));
    return cheapest_batch(problem_, options_.limits.runs, goal).value_or(Batch{});
  }

  const std::vector<Point>& points_;
  const std::vector<Candidate>& candidates_;
  const SuggestOptions& options_;
  std::unique_ptr<Law> law_;
  Eigen::MatrixXd values_;  // log losses, [draws, candidates and targets]
  DesignProblem problem_;
  Suggestion result_;
};

}  // namespace

Suggestion suggest(const std::vector<Point>& points, const std::vector<Candidate>& candidates,
                   const SuggestOptions& options) {
  return Suggesting(points, candidates, options).run();
}

}  // namespace bitsweep
