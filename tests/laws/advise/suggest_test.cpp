// Advice on simulated sweeps: what it prefers, what it says, what it refuses.
#include "advise/suggest.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "fit/simulate.h"

namespace bitsweep::advise {
namespace {

const fit::TrueLaw kTruth;
const fit::Target kTarget{.params = 3e8, .tokens = 6e9, .variant = "", .dataset = ""};

std::vector<Candidate> candidates() {
  std::vector<Candidate> all;
  for (double params = 1e6; params < 3e8; params *= 2)
    for (double tokens = 2e7; tokens < 6e9; tokens *= 2) {
      Candidate candidate;
      candidate.params = params;
      candidate.tokens = tokens;
      candidate.cost = 6 * params * tokens / 1e18;
      candidate.available = 3;
      all.push_back(candidate);
    }
  return all;
}

SuggestOptions options(int runs, double cost) {
  SuggestOptions options;
  options.targets = {kTarget};
  options.limits = {runs, cost};
  options.draws = 200;
  return options;
}

TEST(Suggest, RanksByGainPerCostAndStaysWithinTheBudget) {
  const auto points = grid_points(kTruth, {1e6, 4e6, 16e6}, {2e7, 8e7, 3e8}, 0.003, 1);
  const auto some = candidates();
  const Suggestion s = suggest(points, some, options(5, 0.05));
  EXPECT_EQ(s.configurations, 9);
  EXPECT_TRUE(s.leans_on_prior.empty());
  ASSERT_EQ(s.ranking.size(), some.size());
  for (size_t i = 1; i < s.ranking.size(); ++i)
    EXPECT_GE(s.ranking[i - 1].reduction / some[s.ranking[i - 1].candidate].cost,
              s.ranking[i].reduction / some[s.ranking[i].candidate].cost);
  ASSERT_FALSE(s.batch.empty());
  EXPECT_LE(s.batch.size(), 5u);
  EXPECT_LE(s.cost, 0.05);
  double taken = 0;
  for (const SuggestedRun& run : s.batch) {
    EXPECT_NEAR(run.loss, kTruth(some[run.candidate].params, some[run.candidate].tokens), 0.15);
    taken += run.reduction;
    EXPECT_NEAR(run.remaining, 1 - taken, 1e-9);
  }
  EXPECT_LT(s.targets[0].half_width_after, 0.8 * s.targets[0].half_width);
  EXPECT_NEAR(std::pow(s.targets[0].half_width_after / s.targets[0].half_width, 2), s.batch.back().remaining, 1e-6);
}

TEST(Suggest, AWiderBudgetBuysMoreAndAnAimTheCheapestBatch) {
  const auto points = grid_points(kTruth, {1e6, 4e6, 16e6}, {2e7, 8e7, 3e8}, 0.003, 1);
  const auto some = candidates();
  const double narrow = suggest(points, some, options(6, 0.02)).targets[0].half_width_after;
  const Suggestion wide = suggest(points, some, options(6, 1));
  EXPECT_LT(wide.targets[0].half_width_after, narrow);
  SuggestOptions aimed = options(6, HUGE_VAL);
  aimed.aim = narrow;
  const Suggestion cheap = suggest(points, some, aimed);
  EXPECT_LE(cheap.targets[0].half_width_after, narrow * 1.0001);
  EXPECT_LT(cheap.cost, 0.03);
  aimed.aim = 1e-9;
  EXPECT_TRUE(suggest(points, some, aimed).batch.empty());
}

TEST(Suggest, RunsThatWentWrongDoNotWidenWhatIsKnown) {
  auto points = grid_points(kTruth, {1e6, 4e6, 16e6, 64e6}, {2e7, 8e7, 3e8, 1.2e9}, 0.003, 1);
  const double before = suggest(points, candidates(), options(4, 0.05)).targets[0].half_width;
  points[5].loss *= 1.3;
  points[10].loss *= 1.2;
  EXPECT_LT(suggest(points, candidates(), options(4, 0.05)).targets[0].half_width, 3 * before);
}

// Two kinds of runs taken for seeds of one: a new run tells little beside what their means tell, and not nothing.
TEST(Suggest, WhatIsKnownIsToldHoweverLargeTheNoise) {
  auto points = grid_points(kTruth, {1e6, 4e6, 16e6, 64e6}, {2e7, 8e7, 3e8, 1.2e9}, 0.003, 1);
  const size_t half = points.size();
  for (size_t i = 0; i < half; ++i) {
    points.push_back(points[i]);
    points.back().loss *= 1.08;
    points[i].seed = 0, points.back().seed = 1;
  }
  const TargetOutlook outlook = suggest(points, candidates(), options(4, 0.05)).targets[0];
  EXPECT_GT(outlook.half_width, 1e-3 * outlook.loss);
  EXPECT_LE(outlook.half_width_after, outlook.half_width);
}

TEST(Suggest, SaysWhenTheRunsAloneDoNotTell) {
  const Suggestion s = suggest({fit::make_point(1e6, 2e7, kTruth(1e6, 2e7))}, candidates(), options(4, 0.01));
  EXPECT_FALSE(s.leans_on_prior.empty());
  EXPECT_EQ(s.batch.size(), 4u);
  // One more run at the place that is known would tell least.
  for (const SuggestedRun& run : s.batch)
    EXPECT_FALSE(candidates()[run.candidate].params == 1e6 && candidates()[run.candidate].tokens == 2e7);
  EXPECT_EQ(s.noise.source, "assumed: too few runs tell of it");
}

TEST(Suggest, RefusesWhatItCannotAnswer) {
  EXPECT_THROW(suggest({}, candidates(), options(4, 1)), Error);
  const std::vector<fit::Point> points = {fit::make_point(1e6, 2e7, 4)};
  SuggestOptions none = options(4, 1);
  none.targets.clear();
  EXPECT_THROW(suggest(points, candidates(), none), Error);
  none.targets = {{.params = 3e8, .tokens = 0, .variant = "", .dataset = ""}};
  EXPECT_THROW(suggest(points, candidates(), none), Error);
  none = options(4, 1);
  none.law = "chinchila";
  EXPECT_THROW(suggest(points, candidates(), none), Error);
  EXPECT_TRUE(suggest(points, {}, options(4, 1)).batch.empty());
}

}  // namespace
}  // namespace bitsweep::advise
