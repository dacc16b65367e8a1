// What is taken for divergence, and what is not: strict models begin high, and some come back.
#include "schedule/divergence.h"

#include <gtest/gtest.h>

namespace bitsweep::schedule {
namespace {

using Verdict = DivergenceWatch::Verdict;
constexpr DivergenceRule kRule{.uniform_bpc = 7, .multiple = 2, .warmup = 30, .steps = 200};

TEST(Divergence, ThreeInARowAfterTheWarmup) {
  DivergenceWatch watch(kRule);
  EXPECT_EQ(watch.take(10, 900), Verdict::fine);  // just begun
  EXPECT_EQ(watch.take(40, 900), Verdict::suspected);
  EXPECT_EQ(watch.take(50, 9), Verdict::fine);  // it came back
  EXPECT_EQ(watch.take(60, 15), Verdict::suspected);
  EXPECT_EQ(watch.take(70, 15), Verdict::suspected);
  EXPECT_EQ(watch.take(80, 15), Verdict::diverged);
  EXPECT_EQ(watch.words(), "at 15.0 bits per byte at step 80, far above the 7 of a model that knows nothing");
}

TEST(Divergence, TheLastStepIsJudgedByItself) {
  DivergenceWatch watch(kRule);
  EXPECT_EQ(watch.take(200, 14.1), Verdict::diverged);
  EXPECT_EQ(watch.take(200, 13.9), Verdict::fine);
  DivergenceWatch all_warmup({.uniform_bpc = 7, .warmup = 500, .steps = 200});
  EXPECT_EQ(all_warmup.take(199, 100), Verdict::fine);
  EXPECT_EQ(all_warmup.take(200, 100), Verdict::diverged);
}

TEST(Divergence, WithoutAYardstickOrSwitchedOffNothingIsJudged) {
  DivergenceWatch unknown({.uniform_bpc = 0, .steps = 100});
  EXPECT_EQ(unknown.take(100, 1e9), Verdict::fine);
  DivergenceWatch off({.uniform_bpc = 7, .multiple = 0, .steps = 100});
  EXPECT_EQ(off.take(100, 1e9), Verdict::fine);
  EXPECT_EQ(DivergenceWatch().take(100, 1e9), Verdict::fine);
}

}  // namespace
}  // namespace bitsweep::schedule
