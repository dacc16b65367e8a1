#include "fit/fit.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/units.h"
#include "fit/hold_out.h"
#include "simulate.h"

namespace bitsweep::fit {
namespace {

FitOptions options(int resamples = 0) {
  FitOptions o;
  o.resamples = resamples;
  return o;
}

void expect_recovered(const std::vector<Point>& points, const TrueLaw& law) {
  const FitResult fit = fit_law(points, options());
  ASSERT_TRUE(fit.has_params()) << testing::PrintToString(fit.refused);
  EXPECT_NEAR(*fit.param("E") / law.e, 1, 1e-8);
  EXPECT_NEAR(*fit.param("A") / law.a, 1, 1e-8);
  EXPECT_NEAR(*fit.param("B") / law.b, 1, 1e-8);
  EXPECT_NEAR(*fit.param("alpha") / law.alpha, 1, 1e-8);
  EXPECT_NEAR(*fit.param("beta") / law.beta, 1, 1e-8);
}

TEST(Recovery, OfTheChinchillaLawOnAGrid) {
  expect_recovered(grid_points(TrueLaw{}, {1e6, 3e6, 1e7, 3e7}, {1e8, 3e8, 1e9, 3e9}), TrueLaw{});
}

TEST(Recovery, OnARandomDesign) { expect_recovered(random_points(TrueLaw{}, 40, 0, 3), TrueLaw{}); }

TEST(Recovery, OfASteepLawWithALowFloor) {
  const TrueLaw law{0.3, 900, 5000, 0.45, 0.5};
  expect_recovered(grid_points(law, {1e6, 1e7, 1e8}, {1e8, 1e9, 1e10}), law);
}

TEST(Recovery, OfAPowerLawAlongTokens) {
  FitOptions o = options();
  o.law = "power";
  std::vector<Point> points;
  for (int i = 0; i < 8; ++i) {
    const double d = 1e8 * std::pow(2.0, i);
    points.push_back(make_point(1e7, d, 1.2 + 50 / std::pow(d, 0.25)));
  }
  const FitResult fit = fit_law(points, o);
  EXPECT_EQ(fit.axis, "tokens");
  EXPECT_NEAR(*fit.param("E"), 1.2, 1e-8);
  EXPECT_NEAR(*fit.param("A"), 50, 1e-5);
  EXPECT_NEAR(*fit.param("alpha"), 0.25, 1e-8);
}

TEST(Fit, AOptIsBetaOverTheSum) {
  const FitResult fit = fit_law(random_points(TrueLaw{}, 30, 0, 1), options());
  EXPECT_NEAR(*fit.a_opt, 0.28 / 0.62, 1e-7);
}

TEST(Fit, ObjectiveIsTheSumOfHuberLossesAtTheReportedParameters) {
  const auto points = random_points(TrueLaw{}, 20, 0.02, 2);
  const FitResult fit = fit_law(points, options());
  std::vector<double> values;
  for (const NamedValue& v : fit.params) values.push_back(v.value);
  const Evaluation check = evaluate_law(points, values, options());
  EXPECT_NEAR(check.objective, fit.objective, 1e-12 * fit.objective);
  for (size_t i = 0; i < points.size(); ++i) EXPECT_NEAR(check.fits[i].residual, fit.fits[i].residual, 1e-10);
}

TEST(Fit, OptimumIsNotAboveTheTruth) {
  for (uint64_t seed = 0; seed < 3; ++seed) {
    const auto points = random_points(TrueLaw{}, 25, 0.02, seed);
    const FitResult fit = fit_law(points, options());
    EXPECT_LE(fit.objective, evaluate_law(points, {1.69, 406.4, 410.7, 0.34, 0.28}, options()).objective);
  }
}

TEST(Fit, AnOutlierMovesLittle) {
  auto points = grid_points(TrueLaw{}, {1e6, 3e6, 1e7, 3e7, 1e8}, {1e8, 3e8, 1e9, 3e9, 1e10});
  points[7].loss *= 1.5;
  const FitResult fit = fit_law(points, options());
  EXPECT_NEAR(*fit.param("alpha"), 0.34, 1e-2);
  EXPECT_NEAR(*fit.param("beta"), 0.28, 1e-2);
  FitOptions squares = options();
  squares.delta = HUGE_VAL;
  EXPECT_GT(std::abs(*fit_law(points, squares).param("E") - 1.69), 3 * std::abs(*fit.param("E") - 1.69));
}

TEST(Fit, TheOrderOfPointsDoesNotMatter) {
  auto points = random_points(TrueLaw{}, 20, 0.02, 4);
  const FitResult one = fit_law(points, options());
  std::reverse(points.begin(), points.end());
  const FitResult two = fit_law(points, options());
  EXPECT_NEAR(one.objective, two.objective, 1e-12 * one.objective);
  EXPECT_NEAR(*one.param("alpha"), *two.param("alpha"), 1e-6);
}

TEST(Fit, AFloorAtZeroIsToldAsABound) {
  std::vector<Point> points;
  for (int i = 0; i < 10; ++i) {
    const double n = 1e6 * std::pow(2.0, i);
    // Bent the wrong way for any floor above zero.
    points.push_back(make_point(n, 1e9, 40 / std::pow(n, 0.2) - 0.3));
  }
  FitOptions o = options();
  o.law = "power";
  const FitResult fit = fit_law(points, o);
  EXPECT_EQ(fit.at_bound, std::vector<std::string>{"E"});
  EXPECT_EQ(*fit.param("E"), 0);
  EXPECT_FALSE(fit.identified);
}

TEST(Fit, TwoSearchesAgree) {
  const FitResult fit = fit_law(random_points(TrueLaw{}, 20, 0.02, 8), options());
  EXPECT_NEAR(*fit.projected_objective, *fit.descended_objective, 1e-9 * *fit.projected_objective);
  EXPECT_TRUE(fit.warnings.empty()) << testing::PrintToString(fit.warnings);
}

TEST(Fit, RunsFarFromTheLawAreNamedAndOthersAreNot) {
  std::vector<Point> points = random_points(TrueLaw{}, 60, 0.01, 3);
  const auto told = [&] {
    std::string all;
    for (const std::string& warning : fit_law(points, options()).warnings) all += warning + "\n";
    return all;
  };
  EXPECT_EQ(told().find("far from the law"), std::string::npos) << told();
  points[7].loss *= 1.3, points[20].loss *= 0.8;
  const std::string text = told();
  EXPECT_NE(text.find("2 of 60 configurations lie far from the law"), std::string::npos) << text;
  EXPECT_NE(text.find(format_count(points[7].params) + " parameters"), std::string::npos) << text;
  // Of points that a law goes through but for rounding, nothing is far.
  points = grid_points(TrueLaw{}, {1e6, 3e6, 1e7, 1e8}, {1e8, 1e9, 1e10, 1e11});
  points[5].loss *= 1 + 1e-5;
  EXPECT_EQ(told().find("far from the law"), std::string::npos) << told();
}

TEST(Fit, ResidualSpreadAndSeedNoiseEstimateTheTrueOne) {
  std::vector<Point> points;
  for (int seed = 0; seed < 6; ++seed) {
    for (Point p : grid_points(TrueLaw{}, {1e6, 1e7, 1e8}, {1e8, 1e9, 1e10}, 0.01, seed))
      p.seed = seed, points.push_back(p);
  }
  const FitResult fit = fit_law(points, options());
  EXPECT_EQ(fit.groups, 9);
  EXPECT_NEAR(*fit.residual_sd, 0.01, 0.003);
  EXPECT_NEAR(*fit.noise_sd, 0.01, 0.003);
}

TEST(Fit, FarTargetsAreNotedAndFartherOnesRefused) {
  FitOptions o = options();
  o.targets = {Target{1e7, 1e9, "", ""}, Target{1e9, 1e12, "", ""}, Target{1e7, 0, "", ""}, Target{1e9, 1e11, "", ""}};
  const FitResult fit = fit_law(grid_points(TrueLaw{}, {1e6, 1e7, 1e8}, {1e8, 1e9, 1e10}), o);
  EXPECT_TRUE(fit.predictions[0].beyond.inside());
  EXPECT_NEAR(fit.predictions[1].beyond.compute, 1e4, 1e-6);
  EXPECT_NE(fit.predictions[1].refused.find("10,000 times the compute of the largest run"), std::string::npos);
  EXPECT_FALSE(fit.predictions[2].loss);
  EXPECT_TRUE(fit.predictions[3].loss);
  ASSERT_EQ(fit.warnings.size(), 3u);
  EXPECT_NEAR(*fit.predictions[0].loss, TrueLaw{}(1e7, 1e9), 1e-9);
}

TEST(Fit, HugeAndTinyLossesDoNotBreakIt) {
  for (const double factor : {1e-8, 1e8}) {
    auto points = grid_points(TrueLaw{}, {1e6, 1e7, 1e8}, {1e8, 1e9, 1e10});
    for (Point& p : points) p.loss *= factor;
    const FitResult fit = fit_law(points, options());
    ASSERT_TRUE(fit.has_params());
    EXPECT_NEAR(*fit.param("alpha"), 0.34, 1e-6);
  }
}

TEST(HoldsOut, TheLargestConfigurationsWithAllTheirSeeds) {
  std::vector<Point> points;
  for (int seed = 0; seed < 2; ++seed) {
    for (Point p : grid_points(TrueLaw{}, {1e6, 3e6, 1e7, 3e7}, {1e8, 3e8, 1e9, 3e9}, 0.003, 40 + seed)) {
      p.seed = seed;
      points.push_back(p);
    }
  }
  const auto held = hold_out_largest(points, options(20), 0.2);
  ASSERT_TRUE(held);
  ASSERT_EQ(held->runs.size(), 6u);  // 3 of 16 configurations, twice
  EXPECT_EQ(held->runs.back().point.params * held->runs.back().point.tokens, 9e16);
  EXPECT_LT(held->root_mean_square_error, 0.02);
  EXPECT_GE(held->coverage, 0.5);
  EXPECT_EQ(hold_out_json(*held).at("runs").as_array().size(), 6u);
  // Four sizes less one: too few are left.
  EXPECT_FALSE(hold_out_largest(grid_points(TrueLaw{}, {1e6, 1e7}, {1e8, 1e9}), options(20)));
  EXPECT_FALSE(hold_out_largest({}, options(20)));
}

}  // namespace
}  // namespace bitsweep::fit
