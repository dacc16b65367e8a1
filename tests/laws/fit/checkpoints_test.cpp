// Which rows are checkpoints of one run, and what laws make of them.
#include "fit/checkpoints.h"

#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "fit/fit.h"
#include "fit/likelihood.h"
#include "fit/points_csv.h"

namespace bitsweep::fit {
namespace {

using testing::HasSubstr;

double law(double n, double d) { return 1.8 + 400 / std::pow(n, 0.34) + 400 / std::pow(d, 0.28); }

// Runs of `sizes` sizes, `each` checkpoints of every 1e7 tokens times `stretch`; each run has an error of its own.
std::string logs(int sizes, int each, bool named, double stretch = 1) {
  std::string text = named ? "run,params,tokens,loss\n" : "params,tokens,loss\n";
  for (int s = 0; s < sizes; ++s) {
    const double n = 1e6 * std::pow(2, s), own = 0.01 * (random_unit(3, 1, static_cast<uint64_t>(s)) - 0.5);
    for (int k = 1; k <= each; ++k) {
      const double d = 1e7 * k * (1 + s % 3 * (stretch - 1));
      if (named) text += fmt::format("r{},", s);
      text += fmt::format("{},{},{:.5f}\n", n, d, law(n, d) * (1 + own));
    }
  }
  return text;
}

TEST(Checkpoints, EvenSpacingIsKnownWithGapsAndAShortEnd) {
  const auto even = [](std::vector<double> values) { return evenly_spaced(values); };
  EXPECT_TRUE(even({10, 20, 30, 40, 50, 60, 70, 80, 90, 95}));
  EXPECT_TRUE(even({10, 20, 40, 50, 60, 70, 80, 90, 100}));
  EXPECT_TRUE(even({0, 1e9, 2e9, 3e9, 4e9}));
  EXPECT_FALSE(even({1, 2, 4, 8, 16, 32, 64, 128, 256, 512}));
  EXPECT_FALSE(even({1, 3, 10, 30, 100, 300, 1000, 3000, 10000, 30000}));
  EXPECT_FALSE(even({5}));
  EXPECT_FALSE(even({}));
}

TEST(Checkpoints, TheLastOfARunIsItsPointWithAndWithoutAColumn) {
  for (const bool named : {true, false}) {
    const PointTable table = read_point_table(logs(6, 40, named), "f.csv");
    ASSERT_EQ(table.rows.size(), 6u) << named;
    for (const PointRow& row : table.rows) {
      EXPECT_EQ(row.point.tokens, 4e8);
      EXPECT_EQ(row.point.checkpoints, 40);
    }
    EXPECT_THAT(table.notes.at(0), HasSubstr("6 runs, 240 checkpoints"));
  }
}

TEST(Checkpoints, DesignsOfRunsAreNone) {
  std::string budgets = "params,tokens,loss\n", named = "run,params,tokens,loss\n";
  for (int s = 0; s < 4; ++s)
    for (int k = 0; k < 12; ++k) {
      budgets += fmt::format("{},{},{}\n", 1e6 * (s + 1), 1e7 * std::pow(1.6, k), 3 - 0.1 * k - 0.01 * s);
      named += fmt::format("grid,{},{},{}\n", 1e6 * (s + 1), 1e7 * (k + 1), 3 - 0.1 * k - 0.01 * s);
    }
  for (const Point& p : read_points_csv(budgets, "f.csv")) EXPECT_EQ(p.checkpoints, 0);
  EXPECT_EQ(read_points_csv(budgets, "f.csv").size(), 48u);
  // One name for a whole design names no run.
  EXPECT_EQ(read_points_csv(named, "f.csv").size(), 48u);
  // A handful of even budgets is a design.
  EXPECT_EQ(read_points_csv("params,tokens,loss\n1e6,1e9,3\n1e6,2e9,2.9\n1e6,3e9,2.8\n1e6,4e9,2.7\n", "f.csv").size(),
            4u);
}

TEST(Checkpoints, ARunThatDidNotFinishIsLeftOutWhole) {
  const PointTable table = read_point_table(
      "run,params,tokens,loss,state\na,1e6,1e8,3,done\na,1e6,2e8,2.9,done\nb,2e6,1e8,2.8,done\nb,2e6,2e8,,crashed\n",
      "f.csv");
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_TRUE(table.rows[0].counts());
  EXPECT_EQ(table.rows[1].state.exit_cause, "crashed");
}

TEST(Checkpoints, GuessedNamesOfRunsAreNoneUnlessTheyHoldCheckpoints) {
  EXPECT_EQ(read_points_csv("model,params,tokens,loss\nS,1e6,1e9,3\nS,1e6,4e9,2.8\nM,2e6,1e9,2.9\nM,2e6,4e9,2.7\n", "f")
                .size(),
            4u);
  std::string text = "name,params,tokens,loss\n";
  for (const char* name : {"S", "M"})
    for (int k = 1; k <= 6; ++k)
      text += fmt::format("{},{},{},{}\n", name, *name == 'S' ? 1e6 : 2e6, k * 1e8, 3 - 0.1 * k);
  EXPECT_EQ(read_points_csv(text, "f").size(), 2u);
}

TEST(Checkpoints, RowsOfOneNameThatDifferInASettingAreRunsOfTheirOwn) {
  std::string text = "params,tokens,loss,lr,batch,run\n";
  for (const char* name : {"dense_50M", "dense_130M"})
    for (int k = 0; k < 6; ++k)
      text += fmt::format("{},{},{},{},{},{}\n", *(name + 6) == '5' ? 5e7 : 1.3e8, 1e9 * (1 << k), 3 - 0.1 * k,
                          0.001 * (1 + k / 3), 32 << (k / 2), name);
  const PointTable table = read_point_table(text, "f.csv");
  EXPECT_EQ(table.rows.size(), 12u);
  EXPECT_EQ(table.rows[0].point.run, "");
  EXPECT_THAT(table.notes, testing::Contains(testing::HasSubstr(
                               "2 of 2 names in the column of runs hold rows that differ in batch (dense_130M)")));
  // A rate alone is a schedule's.
  for (const char* rate : {"lr", "LR", "Learning_Rate"}) {
    text = fmt::format("params,tokens,loss,{},batch,run\n", rate);
    for (int k = 1; k <= 6; ++k) text += fmt::format("5e7,{},{},{},32,a\n", 1e9 * k, 3 - 0.1 * k, 0.001 / k);
    EXPECT_EQ(read_point_table(text, "f.csv").rows.size(), 1u) << rate;
  }
}

TEST(Checkpoints, OneBudgetIsRefusedAndAllOfThemResampleWholeRuns) {
  const FitResult last = fit_law(read_points_csv(logs(6, 40, true), "f.csv"), {});
  ASSERT_FALSE(last.refused.empty());
  EXPECT_THAT(last.refused[0], HasSubstr("a single token budget (400M)"));
  EXPECT_FALSE(last.within_runs);

  PointsFormat all;
  all.checkpoints = CheckpointUse::all;
  const auto points = read_points_csv(logs(10, 12, true, 1.5), "f.csv", all);
  ASSERT_EQ(points.size(), 120u);
  EXPECT_EQ(count_checkpoints(points).runs, 10);
  EXPECT_EQ(count_checkpoints(points).checkpoints, 120);
  FitOptions options;
  options.resamples = 60;
  options.targets = {{64e6, 1e9, "", "", 0, 0, 0}};
  const FitResult fit = fit_law(points, options);
  EXPECT_TRUE(fit.within_runs);
  EXPECT_EQ(fit.groups, 10);
  EXPECT_THAT(fit.interval_method, HasSubstr("whole runs"));
  // As if each checkpoint were a run: far too sure.
  const FitResult naive = fit_law(read_points_csv(logs(10, 12, true, 1.5), "f.csv",
                                                  [] {
                                                    PointsFormat none;
                                                    none.checkpoints = CheckpointUse::none;
                                                    return none;
                                                  }()),
                                  options);
  const auto width = [](const FitResult& f) { return f.intervals.at("alpha").second - f.intervals.at("alpha").first; };
  EXPECT_GT(width(fit), width(naive));
  ASSERT_TRUE(fit.predictions[0].interval);
}

TEST(Checkpoints, ALawWithinRunsReadsThemAll) {
  std::string text = "run,step,lr,loss\n";
  for (const char* run : {"a", "b"})
    for (int k = 1; k <= 8; ++k) text += fmt::format("{},{},{},{}\n", run, 100 * k, 1e-3 * (9 - k) / 8, 4 - 0.2 * k);
  PointsFormat format;
  format.needed = {Axis::lr_area};
  EXPECT_EQ(read_points_csv(text, "f.csv", format).size(), 16u);
}

}  // namespace
}  // namespace bitsweep::fit
