#include <gtest/gtest.h>

#include "schedule/schedule.h"

namespace bitsweep::schedule {
namespace {

TEST(AfterAttempt, WellIsWell) { EXPECT_EQ(after_attempt(ExitCause::none, 0, 2).run, RunState::done); }

TEST(AfterAttempt, FaultsAreTriedAgainWithBackOff) {
  for (const ExitCause cause : {ExitCause::exit_code, ExitCause::signal, ExitCause::lost, ExitCause::hung,
                                ExitCause::environment, ExitCause::cannot_start, ExitCause::unfinished}) {
    const AfterAttempt first = after_attempt(cause, 0, 2), second = after_attempt(cause, 1, 2),
                       last = after_attempt(cause, 2, 2);
    EXPECT_EQ(first.run, RunState::queued);
    EXPECT_TRUE(first.fault);
    EXPECT_EQ(first.delay_s, 1);
    EXPECT_EQ(second.delay_s, 4);
    EXPECT_EQ(last.run, RunState::failed);
    EXPECT_EQ(after_attempt(cause, 0, 0).run, RunState::failed);
  }
}

TEST(AfterAttempt, BackOffHasALimit) {
  EXPECT_EQ(after_attempt(ExitCause::signal, 50, 1000).delay_s, 300);
  EXPECT_EQ(after_attempt(ExitCause::signal, 1'000'000'000, 2'000'000'000).delay_s, 300);
}

TEST(AfterAttempt, WhatCannotGetBetterIsNotTriedAgain) {
  for (const ExitCause cause : {ExitCause::bad_input, ExitCause::diverged, ExitCause::timeout, ExitCause::oom})
    EXPECT_EQ(after_attempt(cause, 0, 100).run, RunState::failed);
}

TEST(AfterAttempt, AStopIsNoFault) {
  for (const ExitCause cause : {ExitCause::stopped, ExitCause::preempted}) {
    const AfterAttempt after = after_attempt(cause, 99, 0);
    EXPECT_EQ(after.run, RunState::queued);
    EXPECT_FALSE(after.fault);
    EXPECT_EQ(after.delay_s, 0);
  }
  EXPECT_EQ(after_attempt(ExitCause::cancelled, 0, 9).run, RunState::cancelled);
}

TEST(AfterMemoryRanOut, IsTriedOnceMoreAsTheSweepAllows) {
  EXPECT_FALSE(after_memory_ran_out(OnOom::fail, 1, 64, 1));
  const auto alone = after_memory_ran_out(OnOom::alone, 1, 64, 2);
  ASSERT_TRUE(alone);
  EXPECT_TRUE(alone->alone);
  EXPECT_EQ(alone->accumulate, 2);
  const auto smaller = after_memory_ran_out(OnOom::smaller_batch, 1, 64, 2);
  ASSERT_TRUE(smaller);
  EXPECT_EQ(smaller->accumulate, 4);
  EXPECT_FALSE(after_memory_ran_out(OnOom::smaller_batch, 1, 6, 2));  // 6 does not split into 4
  for (const OnOom policy : {OnOom::alone, OnOom::smaller_batch}) EXPECT_FALSE(after_memory_ran_out(policy, 2, 64, 1));
  EXPECT_EQ(on_oom_from("alone"), OnOom::alone);
  EXPECT_FALSE(on_oom_from("sometimes"));
}

TEST(StopsStarting, AfterSoManyFailures) {
  EXPECT_FALSE(stops_starting({}, 1000));
  EXPECT_FALSE(stops_starting(2, 1));
  EXPECT_TRUE(stops_starting(2, 2));
  EXPECT_TRUE(stops_starting(1, 5));
}

}  // namespace
}  // namespace bitsweep::schedule
