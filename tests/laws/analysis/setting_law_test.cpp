#include "analysis/setting_law.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "fit/distributions.h"

namespace bitsweep::analysis {
namespace {

struct Truth {
  double a = -0.7, b = 0.3, d = 0.57;  // lr* ∝ N^a D^b, batch* ∝ D^d
  double bend_lr = 0.02, bend_batch = 0.01;
  double scatter = 0, noise = 0;
  double log_lr(double n, double t) const { return std::log(2e-3) + a * std::log(n / 1e8) + b * std::log(t / 1e10); }
  double log_batch(double t) const { return std::log(256.0) + d * std::log(t / 1e10); }
};

double normal(uint64_t seed, uint64_t k) { return fit::normal_quantile(random_unit(seed, 3, k) + 0x1p-54); }

// Grids of rates and batches by factors of √2 and 2 about the middle of all places, as tables have them.
std::vector<SettingRun> grid(const Truth& truth, const std::vector<double>& sizes, const std::vector<double>& lengths,
                             bool batches, uint64_t seed = 0) {
  std::vector<SettingRun> runs;
  uint64_t k = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    for (size_t j = 0; j < lengths.size(); ++j) {
      const double lr = truth.log_lr(sizes[i], lengths[j]) + truth.scatter * normal(seed, ++k);
      const double batch = truth.log_batch(lengths[j]) + truth.scatter * normal(seed, ++k);
      for (int r = -8; r <= 8; ++r) {
        for (int b = batches ? -3 : 0; b <= (batches ? 3 : 0); ++b) {
          SettingRun run;
          run.size_class = i, run.budget_class = j;
          run.params = sizes[i], run.tokens = lengths[j];
          run.lr = 2e-3 * std::pow(2, 0.5 * r), run.batch = 256 * std::pow(2, b);
          const double u = std::log(run.lr) - lr, v = batches ? std::log(run.batch) - batch : 0;
          run.loss = 3 * std::exp(truth.bend_lr * u * u + truth.bend_batch * v * v - 0.004 * u * v +
                                  truth.noise * normal(seed, ++k));
          runs.push_back(run);
        }
      }
    }
  }
  return runs;
}

const std::vector<double> kSizes = {3e7, 1e8, 3e8}, kLengths = {4e9, 1e10, 3e10};

TEST(SettingLaw, RecoversTheExponentsOfRateAndBatch) {
  const SettingLaw law = setting_law(grid({}, kSizes, kLengths, true), "m");
  ASSERT_EQ(law.places.size(), 9u);
  ASSERT_TRUE(law.lr && law.batch);
  EXPECT_NEAR(*law.lr->params, -0.7, 1e-6);
  EXPECT_NEAR(*law.lr->tokens, 0.3, 1e-6);
  EXPECT_NEAR(*law.batch->params, 0, 1e-6);
  EXPECT_NEAR(*law.batch->tokens, 0.57, 1e-6);
  EXPECT_NEAR(std::log(law.lr->at(1e9, 1e11).value), Truth{}.log_lr(1e9, 1e11), 1e-6);
}

TEST(SettingLaw, ItsIntervalsHoldTheTruth) {
  Truth truth;
  truth.scatter = 0.1, truth.noise = 0.001;
  const auto trials = 200;
  double exponents = 0, places = 0;
  for (uint64_t seed = 1; seed <= trials; ++seed) {
    const SettingLaw law = setting_law(grid(truth, kSizes, kLengths, seed % 2 == 0, seed), "m");
    ASSERT_TRUE(law.lr) << seed;
    exponents += std::abs(*law.lr->params - truth.a) <= *law.lr->params_half;
    exponents += std::abs(*law.lr->tokens - truth.b) <= *law.lr->tokens_half;
    const SettingValue there = law.lr->at(1e9, 1e11);
    const double best = std::exp(truth.log_lr(1e9, 1e11) + truth.scatter * normal(seed, 1'000'000));
    places += there.interval.first <= best && best <= there.interval.second;
  }
  EXPECT_GE(exponents / (2 * trials), 0.90);
  EXPECT_GE(places / trials, 0.90);
}

TEST(SettingLaw, AnEndOfWhatWasTriedIsABoundAndNoOptimum) {
  std::vector<SettingRun> runs = grid({}, kSizes, {1e10}, false);
  std::erase_if(runs, [](const SettingRun& r) { return r.params == 3e7 && r.lr < 4.1e-3; });
  const SettingLaw law = setting_law(runs, "m");
  EXPECT_EQ(law.place(0, 0)->lr_tuning, Tuning::low_end);
  EXPECT_FALSE(law.place(0, 0)->lr);
  EXPECT_EQ(law.place(1, 0)->lr_tuning, Tuning::found);
  EXPECT_FALSE(law.lr) << "two places";
  EXPECT_EQ(law.count(Tuning::found), 2u);
}

TEST(SettingLaw, FewRatesSayWhatTheyCan) {
  std::vector<SettingRun> runs;
  for (const auto& [size, lr, loss] : std::vector<std::tuple<size_t, double, double>>{
           {0, 1e-3, 3.0}, {1, 1e-3, 2.8}, {1, 2e-3, 2.7}, {2, 1e-3, 2.6}, {2, 2e-3, 2.5999}, {2, 4e-3, 2.6}}) {
    SettingRun run;
    run.size_class = size, run.params = 1e6 * std::pow(10, size), run.tokens = 1e9, run.lr = lr, run.loss = loss;
    runs.push_back(run);
  }
  const SettingLaw law = setting_law(runs, "m");
  EXPECT_EQ(law.place(0, 0)->lr_tuning, Tuning::none);
  EXPECT_EQ(law.place(1, 0)->lr_tuning, Tuning::pair);
  EXPECT_EQ(law.place(1, 0)->best_lr, 2e-3);
  EXPECT_EQ(law.place(2, 0)->lr_tuning, Tuning::flat) << "differences far below the noise";
  EXPECT_TRUE(law.noise_assumed);
}

TEST(SettingLaw, ExponentsThatTheDesignCannotTellApartAreOne) {
  std::vector<SettingRun> together;
  for (size_t i = 0; i < kSizes.size(); ++i)
    for (SettingRun run : grid({}, {kSizes[i]}, {100 * kSizes[i]}, false)) {
      run.size_class = run.budget_class = i;
      together.push_back(run);
    }
  const SettingLaw law = setting_law(together, "m");
  ASSERT_TRUE(law.lr);
  EXPECT_TRUE(law.lr->together);
  EXPECT_FALSE(law.lr->tokens);
  EXPECT_NEAR(*law.lr->params, -0.4, 1e-6);
  const SettingLaw one_length = setting_law(grid({}, kSizes, {1e10}, false), "m");
  EXPECT_FALSE(one_length.lr->tokens);
  EXPECT_FALSE(one_length.lr->together);
  EXPECT_NEAR(*one_length.lr->params, -0.7, 1e-6);
}

TEST(SettingLaw, ARateThatIsOffCostsByTheBend) {
  const SettingLaw law = setting_law(grid({}, kSizes, kLengths, false), "m");
  const SettingValue best = law.lr->at(1e8, 1e10);
  const SettingPenalty penalty = setting_penalty(best, 4 * best.value, *law.lr_curvature);
  EXPECT_NEAR(penalty.expected, 0.02 * std::pow(std::log(4), 2), 1e-5);
  EXPECT_LE(penalty.interval.first, penalty.expected);
  EXPECT_GE(penalty.interval.second, penalty.expected * (1 - 1e-9));
  EXPECT_NEAR(setting_penalty(best, best.value, *law.lr_curvature).expected, 0, 1e-6);
}

TEST(SettingLaw, DivergedRunsDoNotBendTheQuadratic) {
  std::vector<SettingRun> runs = grid({}, kSizes, kLengths, true);
  for (SettingRun& run : runs)
    if (run.lr > 9e-3) run.loss = 9;
  const SettingLaw law = setting_law(runs, "m");
  EXPECT_NEAR(*law.lr->params, -0.7, 0.05);
}

}  // namespace
}  // namespace bitsweep::analysis
