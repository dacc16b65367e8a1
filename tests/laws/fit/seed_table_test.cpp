// A published three-point fit, checked: L = 1 + 1.76 / N^0.218 with N in millions at 1B tokens, its residuals, what it
// says at 300M, and what three points can really say there.
#include <gtest/gtest.h>

#include "fit/feasible.h"
#include "fit/fit.h"
#include "simulate.h"

namespace bitsweep::fit {
namespace {

const double kTokens = 983.04e6;

std::vector<Point> three_points(double unit) {
  return {make_point(5.52 * unit, kTokens, 2.213), make_point(13.7 * unit, kTokens, 2.003),
          make_point(46.45 * unit, kTokens, 1.766)};
}

FitOptions power(double unit) {
  FitOptions options;
  options.law = "power";
  options.targets = {Target{300 * unit, 0, "", ""}};
  return options;
}

TEST(SeedTable, PublishedParametersHaveThePublishedResiduals) {
  const Evaluation e = evaluate_law(three_points(1), {1.0, 1.76, 0.218}, power(1));
  ASSERT_EQ(e.fits.size(), 3u);
  EXPECT_NEAR(e.fits[0].residual, 0.0003, 5e-5);
  EXPECT_NEAR(e.fits[1].residual, 0.0083, 5e-5);
  EXPECT_NEAR(e.fits[2].residual, 0.0037, 5e-5);
}

TEST(SeedTable, PublishedParametersPredict1508At300M) {
  const Evaluation e = evaluate_law(three_points(1), {1.0, 1.76, 0.218}, power(1));
  EXPECT_NEAR(e.predictions.at(0), 1.508, 5e-4);
}

TEST(SeedTable, ExactSolutionOfThreePoints) {
  const FitResult fit = fit_law(three_points(1), power(1));
  EXPECT_NEAR(*fit.param("E"), 0.698, 5e-4);
  EXPECT_NEAR(*fit.param("alpha"), 0.1642, 5e-5);
  EXPECT_NEAR(*fit.param("A"), 2.005, 5e-4);
  EXPECT_NEAR(*fit.predictions.at(0).loss, 1.484, 5e-4);
  for (const PointFit& p : fit.fits) EXPECT_NEAR(p.residual, 0, 1e-9);
}

TEST(SeedTable, ThreePointsGiveNoIntervalAndSayWhy) {
  const FitResult fit = fit_law(three_points(1), power(1));
  EXPECT_FALSE(fit.identified);
  EXPECT_TRUE(fit.intervals.empty());
  EXPECT_FALSE(fit.predictions.at(0).interval);
  ASSERT_EQ(fit.refused.size(), 1u);
  EXPECT_NE(fit.refused[0].find("E, A, alpha are not identified"), std::string::npos) << fit.refused[0];
}

TEST(SeedTable, FeasibleRangeWithinTwoHundredths) {
  const FitResult fit = fit_law(three_points(1), power(1));
  ASSERT_TRUE(fit.predictions.at(0).feasible);
  EXPECT_NEAR(fit.predictions[0].feasible->first, 1.408, 5e-4);
  EXPECT_NEAR(fit.predictions[0].feasible->second, 1.645, 6e-4);
}

TEST(SeedTable, TheUnitOfParametersChangesOnlyTheAmplitude) {
  const FitResult millions = fit_law(three_points(1), power(1)), ones = fit_law(three_points(1e6), power(1e6));
  EXPECT_NEAR(*millions.param("alpha"), *ones.param("alpha"), 1e-9);
  EXPECT_NEAR(*millions.param("E"), *ones.param("E"), 1e-9);
  EXPECT_NEAR(*millions.predictions[0].loss, *ones.predictions[0].loss, 1e-9);
  EXPECT_NEAR(millions.predictions[0].feasible->second, ones.predictions[0].feasible->second, 1e-6);
  EXPECT_NEAR(*ones.param("A") / *millions.param("A"), std::pow(1e6, *ones.param("alpha")), 1e-4);
}

}  // namespace
}  // namespace bitsweep::fit
