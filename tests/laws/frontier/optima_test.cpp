#include "frontier/optima.h"

#include <gtest/gtest.h>

#include "frontier/ladders.h"

namespace bitsweep::frontier {
namespace {

Optima divided(const std::vector<fit::Point>& points, const std::vector<double>& budgets) {
  fit::FitOptions options;
  options.second_opinions = false;
  const fit::FitResult fit = fit_law(points, options);
  return optima(points, fit, approaches(points, fit), budgets);
}

TEST(Optima, AreNeverWorseThanTheBestRunOfTheBudget) {
  const JointLaw law = chinchilla();
  const Truth bent = [&](double n, double d) { return law.loss(n, d) * (1 + 0.03 * std::sin(std::log(n / 1e8))); };
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const auto points = ladder_points(bent, kBudgets, 0.004, 40 + seed);
    for (const Optimum& row : divided(points, kBudgets).rows) {
      ASSERT_TRUE(row.refused.empty());
      ASSERT_TRUE(row.measured);
      EXPECT_LE(row.best.loss, row.measured->loss * (1 + 1e-12));
      EXPECT_NE(row.basis, Basis::law);
      ASSERT_TRUE(row.loss_interval);
      EXPECT_NEAR(6 * row.best.params * row.best.tokens / row.flops, 1, 0.15);
    }
  }
}

TEST(Optima, BetweenAndBeyondStartFromTheMinima) {
  const JointLaw law = chinchilla();
  const auto points = ladder_points(truth_of(law), kBudgets, 0.001, 5);
  const Optima found = divided(points, {5.5e18, 1e21, 1e17});
  ASSERT_EQ(found.rows.size(), 3u);
  EXPECT_EQ(found.rows[0].basis, Basis::isoflop);
  EXPECT_EQ(found.rows[1].basis, Basis::law);
  for (const Optimum& row : found.rows) {
    EXPECT_NEAR(std::log(row.best.params / law.divide(row.flops, 6)->params), 0, 0.35) << row.flops;
    EXPECT_NEAR(row.best.loss / law.divide(row.flops, 6)->loss, 1, 0.01) << row.flops;
    ASSERT_TRUE(row.loss_interval);
    EXPECT_LT(row.loss_interval->first, row.best.loss);
    EXPECT_GT(row.loss_interval->second, row.best.loss);
  }
  EXPECT_NEAR(found.rows[1].beyond.compute, 10, 0.5);
}

TEST(Optima, ABudgetBeyondAnyReasonIsRefusedInWords) {
  const auto points = ladder_points(truth_of(chinchilla()), kBudgets, 0.001, 5);
  const Optima found = divided(points, {1e30});
  EXPECT_FALSE(found.rows[0].refused.empty());
  EXPECT_TRUE(optima_json(found).empty());
  ASSERT_EQ(refusals(found).size(), 1u);
  EXPECT_NE(refusals(found)[0].find("1e+30 FLOPs"), std::string::npos);
}

TEST(Optima, WithoutALawTheMeasuredBudgetsAreStillDivided) {
  const auto points = ladder_points(truth_of(chinchilla()), {1e19}, 0.001, 9);
  const Optima found = divided(points, {1e19, 1e21});
  EXPECT_TRUE(found.rows[0].refused.empty());
  EXPECT_NE(found.rows[0].basis, Basis::law);
}

TEST(Optima, WhatRunsDoNotDetermineLeansOnPublishedLawsAndSaysSo) {
  // Three sizes by three lengths, noisy.
  const auto points = grid(truth_of(chinchilla()), {1e8, 2e8, 4e8}, {1e9, 2e9, 4e9}, 0.01, 3);
  const Optima found = divided(points, {1e20});
  if (found.rows[0].refused.empty() && found.rows[0].basis == Basis::law && found.rows[0].params_interval) {
    EXPECT_GT(found.rows[0].params_interval->second / found.rows[0].params_interval->first, 1.2);
  }
}

}  // namespace
}  // namespace bitsweep::frontier
