// Each rule where it must fire, and where it must not.
#include "fit/refuse.h"

#include <gtest/gtest.h>

#include "fit/fit.h"
#include "simulate.h"

namespace bitsweep::fit {
namespace {

const TrueLaw kLaw;
const std::vector<double> kSizes = {1e6, 3e6, 1e7, 3e7}, kBudgets = {1e8, 3e8, 1e9};

FitResult fit(const std::vector<Point>& points, const std::string& law = "chinchilla") {
  FitOptions options;
  options.law = law;
  options.resamples = 0;
  options.targets = {Target{1e8, 1e9, "", ""}};
  return fit_law(points, options);
}

void expect_refused(const FitResult& result, const std::string& words) {
  EXPECT_FALSE(result.identified);
  EXPECT_TRUE(result.intervals.empty());
  bool found = false;
  for (const auto& reason : result.refused) found |= reason.find(words) != std::string::npos;
  EXPECT_TRUE(found) << words << " not in: " << testing::PrintToString(result.refused);
}

TEST(Refuse, NothingOfAGoodDesign) {
  const FitResult result = fit(grid_points(kLaw, kSizes, kBudgets, 0.002, 1));
  EXPECT_TRUE(result.refused.empty()) << testing::PrintToString(result.refused);
  EXPECT_TRUE(result.identified);
}

TEST(Refuse, NoPoints) {
  const FitResult result = fit({});
  expect_refused(result, "no points");
  EXPECT_FALSE(result.has_params());
}

TEST(Refuse, OnePointAndTwoEqualPoints) {
  expect_refused(fit({make_point(1e6, 1e9, 2)}), "too few points: 1 configuration");
  const FitResult twice = fit({make_point(1e6, 1e9, 2), make_point(1e6, 1e9, 2)}, "power");
  expect_refused(twice, "a single model size");
  EXPECT_FALSE(twice.has_params());
}

TEST(Refuse, FewerConfigurationsThanParameters) {
  const FitResult result = fit(grid_points(kLaw, {1e6, 1e7}, {1e8, 1e9}));
  expect_refused(result, "too few points: 4 configurations cannot determine the 5 parameters");
  EXPECT_FALSE(result.has_params());
}

TEST(Refuse, SeedsAreNoConfigurations) {
  std::vector<Point> points;
  for (int seed = 0; seed < 3; ++seed) {
    for (Point p : grid_points(kLaw, {1e6, 1e7}, {1e8, 1e9}, 0.01, seed)) p.seed = seed, points.push_back(p);
  }
  expect_refused(fit(points), "repeated seeds of a configuration tell its noise");
}

TEST(Refuse, SingleSizeAndSingleBudget) {
  expect_refused(fit(grid_points(kLaw, {1e7}, {1e7, 3e7, 1e8, 3e8, 1e9, 3e9, 1e10, 3e10})),
                 "a single model size (10M)");
  expect_refused(fit(grid_points(kLaw, {1e6, 2e6, 4e6, 8e6, 2e7, 4e7, 8e7, 2e8}, {1e9})), "a single token budget (1B)");
}

TEST(Refuse, TwoSizesCannotTellAFloor) {
  expect_refused(fit(grid_points(kLaw, {1e6, 1e7}, {1e7, 3e7, 1e8, 3e8, 1e9})), "only two model sizes");
}

TEST(Refuse, TokensProportionalToParameters) {
  std::vector<Point> points;
  for (int i = 0; i < 10; ++i) {
    const double n = 1e6 * std::pow(2.0, i);
    points.push_back(make_point(n, 20 * n, kLaw(n, 20 * n)));
  }
  const FitResult result = fit(points);
  expect_refused(result, "parameters and tokens grow together");
  EXPECT_FALSE(result.has_params());
}

TEST(Refuse, NotWhenTheRatioVariesEnough) {
  std::vector<Point> points;
  for (int i = 0; i < 10; ++i) {
    const double n = 1e6 * std::pow(2.0, i), d = n * (i % 2 ? 60 : 6);
    points.push_back(make_point(n, d, kLaw(n, d)));
  }
  EXPECT_TRUE(fit(points).refused.empty());
}

TEST(Refuse, AllLossesEqual) {
  auto points = grid_points(kLaw, kSizes, kBudgets);
  for (Point& p : points) p.loss = 2;
  expect_refused(fit(points), "all losses are equal (2)");
}

TEST(Refuse, LossRisingWithSize) {
  auto points = grid_points(kLaw, kSizes, kBudgets);
  for (Point& p : points) p.loss = 1 + 0.1 * std::log10(p.params) + 10 / std::log10(p.tokens);
  const FitResult result = fit(points);
  expect_refused(result, "the loss does not fall with params");
  EXPECT_FALSE(result.has_params());
}

TEST(Refuse, ValuesWithoutALogarithm) {
  auto points = grid_points(kLaw, kSizes, kBudgets);
  points[0].loss = -1;
  points[1].tokens = 0;
  points[2].params = NAN;
  const FitResult result = fit(points);
  expect_refused(result, "1 of 12 points has no positive finite loss");
  expect_refused(result, "no positive finite number of tokens");
  expect_refused(result, "no positive finite number of parameters");
  EXPECT_FALSE(result.predictions.at(0).feasible);
}

TEST(Refuse, MixedVariantsAndDatasets) {
  auto points = grid_points(kLaw, kSizes, kBudgets);
  points[0].variant = "v57";
  points[1].dataset = "stories";
  expect_refused(fit(points), "points of 2 variants ((none), v57)");
  expect_refused(fit(points), "points of 2 datasets");
}

TEST(Refuse, OneAxisWhileTheOtherVariesToo) {
  expect_refused(fit(grid_points(kLaw, kSizes, kBudgets), "power"),
                 "the points also differ in tokens (by a factor of 10)");
}

TEST(Refuse, NoIntervalFromTwoSparePoints) {
  auto points = grid_points(kLaw, {1e6, 3e6, 1e7}, {1e8, 3e8, 1e9}, 0.002, 4);
  points.resize(7);
  const FitResult result = fit(points);
  expect_refused(result, "7 configurations for 5 parameters leave 2");
  EXPECT_TRUE(result.has_params());
  ASSERT_TRUE(result.predictions.at(0).feasible);
  EXPECT_LE(result.predictions[0].feasible->first, *result.predictions[0].loss);
  EXPECT_GE(result.predictions[0].feasible->second, *result.predictions[0].loss);
}

}  // namespace
}  // namespace bitsweep::fit
