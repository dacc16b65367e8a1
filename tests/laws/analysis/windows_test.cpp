#include "analysis/windows.h"

#include <boost/math/distributions/students_t.hpp>

#include "analysis/made_windows.h"

namespace bitsweep::analysis {
namespace {

double t_quantile(double degrees) { return boost::math::quantile(boost::math::students_t(degrees), 0.975); }

TEST(Windows, WhatMakesAWindowHardCancels) {
  const ReportInput input = with_windows({{"v57", 1e6, 4e6}, {"llama", 1e6, 4e6}}, 0.1);
  const GroupAnalysis g = analyse(input).groups.at(0);
  const auto alone = window_error(input.runs, g.table.cells[0]).value();
  const auto between = window_error_between(input.runs, g.table.cells[0], g.table.cells[1]).value();
  const auto apart = window_error_apart(input.runs, g.table.cells[0], g.table.cells[1]).value();
  EXPECT_EQ(between.degrees, 63);
  EXPECT_NEAR(alone.se, 0.29 / 8, 0.01);
  EXPECT_NEAR(apart.se, alone.se * std::sqrt(2.0), 0.01);
  EXPECT_LT(between.se, apart.se / 5);
  EXPECT_GT(between.se, 0);
}

// One seed: an interval, which says that it is of windows alone, and no p.
TEST(Windows, OneSeedHasAnIntervalOfWindowsAlone) {
  const GroupAnalysis g = analyse(with_windows({{"v57", 1e6, 4e6}, {"llama", 1e6, 4e6}}, 0.1)).groups.at(0);
  const VariantComparison& gap = g.variant_comparisons.at(0);
  ASSERT_TRUE(gap.change.half_width.has_value());
  EXPECT_DOUBLE_EQ(*gap.change.half_width, t_quantile(63) * gap.change.window_se.value());
  EXPECT_TRUE(gap.change.windows_alone);
  EXPECT_EQ(gap.change.values, 1);
  EXPECT_FALSE(gap.change.p.has_value());
  EXPECT_FALSE(gap.p_holm.has_value());
  // Of the cell itself nothing but the standard error is told.
  EXPECT_FALSE(g.table.cells[0].final_bpc.half_width.has_value());
  EXPECT_GT(g.table.cells[0].final_bpc.window_se.value(), *gap.change.window_se);
}

TEST(Windows, SeedsAndWindowsAddUp) {
  const std::vector<Made> runs{{"v57", 1e6, 4e6, 1e-3, 0, 32, 0.010},
                               {"v57", 1e6, 4e6, 1e-3, 1, 32, -0.01},
                               {"llama", 1e6, 4e6, 1e-3, 0, 32, 0.011},
                               {"llama", 1e6, 4e6, 1e-3, 1, 32, -0.014}};
  const VariantComparison seeds = analyse(made_input(runs)).groups.at(0).variant_comparisons.at(0);
  const VariantComparison both = analyse(with_windows(runs, 0.1)).groups.at(0).variant_comparisons.at(0);
  ASSERT_TRUE(seeds.paired);
  ASSERT_TRUE(both.paired);
  EXPECT_FALSE(both.change.windows_alone);
  EXPECT_EQ(both.change.values, 2);
  EXPECT_DOUBLE_EQ(both.change.mean, seeds.change.mean);
  EXPECT_NEAR(*both.change.half_width, std::hypot(*seeds.change.half_width, t_quantile(63) * *both.change.window_se),
              1e-12);
  EXPECT_GT(*both.change.p, *seeds.change.p);
  EXPECT_LT(*both.change.p, 1);
}

// The p is that at which the interval just ends at 0.
TEST(Windows, PIsWhereTheIntervalEnds) {
  const std::vector<double> differences{0.30, 0.34, 0.31};
  const Estimate wide = paired_difference(differences, WindowError{0.05, 63});
  const Estimate shifted = paired_difference(
      {0.30 - wide.mean + *wide.half_width, 0.34 - wide.mean + *wide.half_width, 0.31 - wide.mean + *wide.half_width},
      WindowError{0.05, 63});
  EXPECT_NEAR(shifted.mean, *shifted.half_width, 1e-12);
  EXPECT_NEAR(*shifted.p, 0.05, 1e-6);
  EXPECT_DOUBLE_EQ(*paired_difference(differences, WindowError{0, 63}).p, *paired_difference(differences).p);
}

TEST(Windows, OtherWindowsAreNotPaired) {
  ReportInput input = with_windows({{"v57", 1e6, 4e6}, {"llama", 1e6, 4e6}}, 0.1);
  input.runs[1].windows.blocks.resize(32);
  const GroupAnalysis g = analyse(input).groups.at(0);
  EXPECT_DOUBLE_EQ(window_error_between(input.runs, g.table.cells[0], g.table.cells[1])->se,
                   window_error_apart(input.runs, g.table.cells[0], g.table.cells[1])->se);
  // A run that tells its standard error alone.
  input.runs[0].windows = {0.03, {}};
  input.runs[1].windows = {0.04, {}};
  const VariantComparison gap = analyse(input).groups.at(0).variant_comparisons.at(0);
  EXPECT_NEAR(gap.change.window_se.value(), 0.05, 1e-12);
  input.runs[1].windows = {};
  EXPECT_FALSE(analyse(input).groups.at(0).variant_comparisons.at(0).change.half_width.has_value());
}

// A thousand pairs of models with one true difference, each pair scored on windows of its own: the interval holds it.
TEST(Windows, TheIntervalHoldsTheDifferenceOverWindows) {
  constexpr int kPairs = 1000;
  constexpr double kTrue = 0.02;
  int held = 0;
  for (uint64_t pair = 0; pair < kPairs; ++pair) {
    ReportCell a, b;
    for (uint64_t w = 0; w < 32; ++w) {
      const double hard = random_unit(11, pair, w);
      a.window_bpc.push_back(hard + 0.1 * random_unit(12, pair, w));
      b.window_bpc.push_back(hard + 0.1 * random_unit(13, pair, w) + kTrue);
    }
    const WindowError error = window_error_between({}, a, b).value();
    double mean = 0;
    for (size_t w = 0; w < 32; ++w) mean += (b.window_bpc[w] - a.window_bpc[w]) / 32;
    held += std::abs(mean - kTrue) <= t_quantile(error.degrees) * error.se;
  }
  EXPECT_NEAR(static_cast<double>(held) / kPairs, 0.95, 0.02);
}

}  // namespace
}  // namespace bitsweep::analysis
