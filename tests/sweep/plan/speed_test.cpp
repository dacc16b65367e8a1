#include "plan/speed.h"

#include <gtest/gtest.h>

namespace bitsweep::plan {
namespace {

PlannedRun run_of(int64_t d_model, double flops_per_token_forward) {
  PlannedRun run;
  run.spec.model.plugin = "v57";
  run.spec.model.options = {{"d_model", d_model}};
  run.spec.data.context = 100;
  run.spec.train.steps = 1000;
  run.spec.train.batch = 10;
  run.spec.eval = {.every = 300, .windows = 60};
  run.model.flops_forward_per_token = flops_per_token_forward;
  run.tokens = static_cast<double>(run.spec.tokens());
  return run;
}

// Of the same shape and batch, per token; then 4 evaluations (300, 600, 900, 1000) of 60 · 100 tokens at a third.
constexpr double kTokens = 1e6 + 4 * 6000 / 3.0;

TEST(Speed, MeasuredShapesTakeTheirMedian) {
  const PlannedRun run = run_of(64, 1e6);
  const std::vector<MeasuredSpeed> speeds{{speed_key(run.spec), "v57", 3e6, 1000},
                                          {speed_key(run.spec), "v57", 3e6, 2000},
                                          {speed_key(run.spec), "v57", 3e6, 9000},
                                          {"another", "v57", 3e6, 1}};
  const auto time = estimate_time(run, speeds);
  ASSERT_TRUE(time);
  EXPECT_TRUE(time->measured);
  EXPECT_NEAR(time->seconds, kTokens / 2000, 1.0);
}

TEST(Speed, OthersAreScaledByFlopsFromTheNearestOfTheirPlugin) {
  const std::vector<MeasuredSpeed> speeds{
      {"small", "v57", 3e4, 80000}, {"near", "v57", 6e6, 500}, {"llama", "llama", 3e6, 1e9}};
  const auto time = estimate_time(run_of(64, 1e6), speeds);
  ASSERT_TRUE(time);
  EXPECT_FALSE(time->measured);
  EXPECT_NEAR(time->seconds, kTokens / 1000, 1.0);  // half the FLOPs a token: twice the speed
}

TEST(Speed, WithoutASpeedOfItsPluginThereIsNoTime) {
  const std::vector<MeasuredSpeed> speeds{{"llama", "llama", 3e6, 1e9}, {"broken", "v57", 0, 0}};
  EXPECT_FALSE(estimate_time(run_of(64, 1e6), speeds));
  EXPECT_FALSE(estimate_time(run_of(64, 1e6), {}));
}

TEST(Speed, TheKeyHoldsWhatDecidesAStepAndNothingElse) {
  const spec::RunSpec spec = run_of(64, 1).spec;
  const auto same = [&](auto change) {
    spec::RunSpec other = spec;
    change(other);
    return speed_key(other) == speed_key(spec);
  };
  EXPECT_TRUE(same([](spec::RunSpec& s) { s.seed = 7; }));
  EXPECT_TRUE(same([](spec::RunSpec& s) { s.train.lr = 1; }));
  EXPECT_TRUE(same([](spec::RunSpec& s) { s.train.steps = 7; }));
  EXPECT_TRUE(same([](spec::RunSpec& s) { s.data.corpus = "stories"; }));
  EXPECT_FALSE(same([](spec::RunSpec& s) { s.model.options["d_model"] = 65; }));
  EXPECT_FALSE(same([](spec::RunSpec& s) { s.model.plugin = "v75"; }));
  EXPECT_FALSE(same([](spec::RunSpec& s) { s.data.context = 7; }));
  EXPECT_FALSE(same([](spec::RunSpec& s) { s.train.batch = 7; }));
  EXPECT_FALSE(same([](spec::RunSpec& s) { s.train.precision = "bf16"; }));
  EXPECT_FALSE(same([](spec::RunSpec& s) { s.train.gradients = "s6"; }));
}

TEST(Speed, TotalsNeedEveryTime) {
  Plan plan;
  plan.runs = {run_of(64, 1e6), run_of(128, 2e6)};
  const std::vector<MeasuredSpeed> speeds{{speed_key(plan.runs[0].spec), "v57", 3e6, 1000}};
  for (PlannedRun& run : plan.runs) run.time = estimate_time(run, speeds);
  ASSERT_TRUE(plan.totals().seconds);
  EXPECT_NEAR(*plan.totals().seconds, 3 * kTokens / 1000, 3.0);
  plan.runs[0].state = "done";
  EXPECT_NEAR(*plan.totals().seconds_left, 2 * kTokens / 1000, 3.0);
  plan.runs[0].time = std::nullopt;
  EXPECT_FALSE(plan.totals().seconds);
  EXPECT_TRUE(plan.totals().seconds_left);
  EXPECT_TRUE(plan_json(plan).at("totals").at("hours").is_null());
  EXPECT_EQ(plan_json(plan).at("runs").at(1).at("hours_from"), "scaled");
}

}  // namespace
}  // namespace bitsweep::plan
