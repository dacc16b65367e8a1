#include "fit/bootstrap.h"

#include <gtest/gtest.h>

#include "fit/fit.h"
#include "fit/optimise.h"
#include "simulate.h"

namespace bitsweep::fit {
namespace {

TEST(Percentiles, InterpolateBetweenOrderStatistics) {
  std::vector<double> values;
  for (int i = 100; i >= 0; --i) values.push_back(i);
  const auto interval = percentile_interval(values, 0.9);
  EXPECT_NEAR(interval.first, 5, 1e-12);
  EXPECT_NEAR(interval.second, 95, 1e-12);
}

TEST(Bootstrap, TheSameSeedGivesTheSameIntervalsAndAnotherOthers) {
  const auto points = random_points(TrueLaw{}, 20, 0.02, 1);
  FitOptions o;
  o.resamples = 100;
  o.targets = {Target{1e9, 1e11, "", ""}};
  const FitResult one = fit_law(points, o), two = fit_law(points, o);
  o.seed = 1;
  const FitResult three = fit_law(points, o);
  EXPECT_EQ(one.intervals, two.intervals);
  EXPECT_EQ(one.predictions[0].interval, two.predictions[0].interval);
  EXPECT_NE(one.intervals, three.intervals);
  EXPECT_EQ(one.intervals.count("a_opt"), 1u);
  for (const NamedValue& v : one.params) {
    EXPECT_LE(one.intervals.at(v.name).first, v.value) << v.name;
    EXPECT_GE(one.intervals.at(v.name).second, v.value) << v.name;
  }
}

TEST(Bootstrap, SeedsOfOneConfigurationAreDrawnTogether) {
  // Two seeds that lie far apart, in each of few configurations: every resample holds both or neither, so that the fit
  // of each passes between them.
  std::vector<Point> points;
  for (const int seed : {0, 1}) {
    for (Point p : grid_points(TrueLaw{}, {1e6, 3e6, 1e7, 3e7, 1e8}, {1e9})) {
      p.loss *= seed == 0 ? 0.95 : 1.05, p.seed = seed;
      points.push_back(p);
    }
  }
  const auto law = make_law("power", points);
  Objective objective(*law, points, HUGE_VAL);
  const auto best = descend_wide(objective, grid_of_starts(objective)[2500]);
  const Bootstrap draws = bootstrap(*law, points, HUGE_VAL, {best.theta}, 50, 3);
  ASSERT_GE(draws.thetas.size(), 40u);
  for (const auto& theta : draws.thetas)
    EXPECT_LT((objective.predict(theta) - objective.predict(best.theta)).abs().maxCoeff(), 2e-3);
}

TEST(Bootstrap, DrawsThatCannotCarryTheLawAreDrawnAgain) {
  const auto points = grid_points(TrueLaw{}, {1e6, 3e6, 1e7}, {1e8, 3e8, 1e9}, 0.01, 2);
  const auto law = make_law("chinchilla", points);
  Objective objective(*law, points, 1e-3);
  const auto best = descend_wide(objective, grid_of_starts(objective)[2000]);
  const Bootstrap draws = bootstrap(*law, points, 1e-3, {best.theta}, 50, 0);
  EXPECT_GT(draws.redrawn, 0);
  EXPECT_EQ(draws.thetas.size(), 50u);
}

TEST(Bootstrap, PredictionIntervalsHoldNewRuns) {
  // 40 simulated ladders; each predicts one larger run. At 95 % nominal, fewer than 32 hits has probability < 1e-3 even
  // if the true coverage were 92 %.
  const TrueLaw truth;
  int hits = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    std::vector<Point> points;
    for (int i = 0; i < 10; ++i) {
      const double n = 1e6 * std::pow(1.8, i);
      points.push_back(make_point(n, 1e9, truth(n, 1e9) * std::exp(0.01 * normal(seed, i))));
    }
    FitOptions o;
    o.law = "power";
    o.resamples = 20;  // of the second opinion
    o.seed = seed;
    o.targets = {Target{5e8, 0, "", ""}};
    const FitResult fit = fit_law(points, o);
    ASSERT_TRUE(fit.predictions[0].interval);
    const double run = truth(5e8, 1e9) * std::exp(0.01 * normal(seed, 99));
    hits += fit.predictions[0].interval->first <= run && run <= fit.predictions[0].interval->second;
  }
  EXPECT_GE(hits, 32);
}

}  // namespace
}  // namespace bitsweep::fit
