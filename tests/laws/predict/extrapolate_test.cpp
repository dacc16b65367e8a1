#include "predict/extrapolate.h"

#include <cmath>

#include <gtest/gtest.h>

#include "spec/lr_schedule.h"

namespace bitsweep::predict {
namespace {

// Losses made by the law itself: what is read off two thirds of the way is what comes.
TEST(ExtrapolateCurve, KnowsWhatTheScheduleWillDo) {
  spec::TrainSpec train;
  train.steps = 2000;
  train.warmup = 100;
  schedule::RunCurve run{"r", train.steps, {}, false};
  double area = 0, last = 0, push = 0, annealed = 0, end = 0;
  for (int64_t step = 1; step <= train.steps; ++step) {
    const double rate = learning_rate(train, step - 1);
    area += rate;
    push = 0.999 * push + std::max(0.0, last - rate);
    annealed += push;
    last = rate;
    end = 1.2 + 1.0 * std::pow(area, -0.5) - 0.3 * annealed;
    if (step % 100 == 0 && step <= 1400) run.losses.push_back({step, end});
  }
  const auto found = extrapolate_curve(run, train);
  ASSERT_TRUE(found);
  EXPECT_NEAR(found->loss, end, 0.02);
  EXPECT_GT(run.losses.back().loss - found->loss, 0.01);  // it was still to fall
  EXPECT_LT(found->sd, 0.05);
  run.losses.resize(4);
  EXPECT_FALSE(extrapolate_curve(run, train));
}

}  // namespace
}  // namespace bitsweep::predict
