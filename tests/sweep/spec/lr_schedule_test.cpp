#include "spec/lr_schedule.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace bitsweep::spec {
namespace {

TrainSpec spec(const std::string& schedule, int64_t steps = 100, int64_t warmup = 10) {
  TrainSpec train;
  train.schedule = schedule;
  train.steps = steps;
  train.warmup = warmup;
  train.lr = 1.0;
  return train;
}

TEST(LrSchedule, WarmupRisesLinearlyAndReachesLrAtItsLastStep) {
  const TrainSpec train = spec("constant");
  EXPECT_DOUBLE_EQ(learning_rate(train, 0), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(train, 4), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate(train, 9), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(train, 10), 1.0);
}

TEST(LrSchedule, CosineGoldenValues) {
  TrainSpec train = spec("cosine");
  EXPECT_DOUBLE_EQ(learning_rate(train, 10), 1.0);
  EXPECT_NEAR(learning_rate(train, 40), 0.75, 1e-12);  // a third: (1 + cos 60°) / 2
  EXPECT_NEAR(learning_rate(train, 55), 0.5, 1e-12);   // half
  EXPECT_NEAR(learning_rate(train, 70), 0.25, 1e-12);  // two thirds
  EXPECT_GT(learning_rate(train, 99), 0.0);
  EXPECT_LT(learning_rate(train, 99), 4e-4);
  train.lr_final = 0.1;
  EXPECT_NEAR(learning_rate(train, 55), 0.55, 1e-12);
}

TEST(LrSchedule, LinearGoldenValues) {
  TrainSpec train = spec("linear");
  EXPECT_DOUBLE_EQ(learning_rate(train, 10), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(train, 55), 0.5);
  EXPECT_NEAR(learning_rate(train, 99), 1.0 / 90, 1e-12);
  train.lr_final = 0.2;
  EXPECT_NEAR(learning_rate(train, 55), 0.6, 1e-12);
}

TEST(LrSchedule, WsdIsFlatThenDecays) {
  TrainSpec train = spec("wsd");
  train.decay_fraction = 0.2;
  EXPECT_DOUBLE_EQ(learning_rate(train, 10), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(train, 80), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(train, 90), 0.5);
  EXPECT_NEAR(learning_rate(train, 99), 0.05, 1e-12);
  train.decay_fraction = 0;
  EXPECT_DOUBLE_EQ(learning_rate(train, 99), 1.0);
  train.decay_fraction = 1;  // begins where the warmup ends
  EXPECT_DOUBLE_EQ(learning_rate(train, 55), 0.5);
}

TEST(LrSchedule, TwoStageDropsToAThirdInTheMiddle) {
  TrainSpec train = spec("two_stage", 100, 0);
  EXPECT_DOUBLE_EQ(learning_rate(train, 0), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(train, 25), 0.75);
  EXPECT_NEAR(learning_rate(train, 49), 0.51, 1e-12);
  EXPECT_NEAR(learning_rate(train, 50), 1.0 / 3, 1e-12);
  EXPECT_NEAR(learning_rate(train, 75), 1.0 / 6, 1e-12);
  EXPECT_NEAR(learning_rate(train, 99), 0.02 / 3, 1e-12);
  train.lr_final = 0.1;
  EXPECT_NEAR(learning_rate(train, 50), 0.1 + 0.9 / 3, 1e-12);
  EXPECT_DOUBLE_EQ(learning_rate(spec("two_stage", 1, 0), 0), 1.0);
}

TEST(WeightDecay, EndsAtItsPartOfTheSteps) {
  TrainSpec train = spec("cosine");
  train.weight_decay = 0.1;
  EXPECT_EQ(weight_decay(train, 0), 0.1);
  EXPECT_EQ(weight_decay(train, 99), 0.1);
  train.weight_decay_until = 0.5;
  EXPECT_EQ(weight_decay(train, 49), 0.1);
  EXPECT_EQ(weight_decay(train, 50), 0.0);
  train.weight_decay_until = 0.001;  // no step at all
  EXPECT_EQ(weight_decay(train, 0), 0.0);
}

TEST(LrSchedule, NoWarmupAndWarmupLongerThanTheRun) {
  EXPECT_DOUBLE_EQ(learning_rate(spec("cosine", 10, 0), 0), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(spec("cosine", 10, 100), 9), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(spec("linear", 1, 0), 0), 1.0);
}

TEST(LrSchedule, EveryScheduleStaysWithinItsBoundsAndNeverRisesAfterWarmup) {
  for (const char* name : {"cosine", "linear", "constant", "wsd", "two_stage"}) {
    TrainSpec train = spec(name, 777, 31);
    train.lr_final = 0.05;
    double before = 2;
    for (int64_t step = train.warmup; step < train.steps; ++step) {
      const double lr = learning_rate(train, step);
      EXPECT_LE(lr, before) << name << " " << step;
      EXPECT_GE(lr, 0.05) << name << " " << step;
      before = lr;
    }
  }
}

TEST(LrSchedule, UnknownNameNamesTheNearest) {
  try {
    learning_rate(spec("cosin", 10, 0), 0);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find("'cosine'"), std::string::npos);
  }
}

}  // namespace
}  // namespace bitsweep::spec
