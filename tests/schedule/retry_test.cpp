#include <gtest/gtest.h>

#include "schedule/schedule.h"

namespace bitsweep {
namespace {

TEST(AfterAttempt, WellIsWell) { EXPECT_EQ(after_attempt(ExitCause::none, 0, 2).run, RunState::done); }

TEST(AfterAttempt, FaultsAreTriedAgainWithBackOff) {
  for (const ExitCause cause :
       {ExitCause::exit_code, ExitCause::signal, ExitCause::oom, ExitCause::lost, ExitCause::hung,
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
  for (const ExitCause cause : {ExitCause::bad_input, ExitCause::diverged, ExitCause::timeout})
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

TEST(StopsStarting, AfterSoManyFailures) {
  EXPECT_FALSE(stops_starting({}, 1000));
  EXPECT_FALSE(stops_starting(2, 1));
  EXPECT_TRUE(stops_starting(2, 2));
  EXPECT_TRUE(stops_starting(1, 5));
}

}  // namespace
}  // namespace bitsweep
