// What settings of sweeps mean for their runs: rules that stop some early, what they come after, where they end.
#include "coordinate/early_stop.h"

#include <cmath>

#include <gtest/gtest.h>

#include "coordinate/live_attempt.h"
#include "store/store_fixture.h"

namespace bitsweep::coordinate {
namespace {

class EarlyStopTest : public store::StoreTest {
 protected:
  // Four runs of sweep "s" at two rates: done, done, stopped and failed, with losses at steps 10 and 30.
  void SetUp() override {
    store.submit(store::new_sweep("s", {store::new_run("a0", 1), store::new_run("a1", 1, 1), store::new_run("b0", 2),
                                        store::new_run("c0", 1, 2), store::new_run("me", 1, 3)}));
    over("a0", 2.0, RunState::done);
    over("a1", 2.2, RunState::done);
    over("b0", 0.5, RunState::stopped);
    over("c0", 0.1, RunState::failed);
  }
  void over(const std::string& id, double loss, RunState state) {
    const int64_t attempt = store.claim(id, "cpu", 1, 1).value();
    ingest(id, attempt, {store::eval_of(id, attempt, 1, 10, loss + 1), store::eval_of(id, attempt, 2, 30, loss)}, 10);
    store.finish(id, attempt, end(state));
  }
  std::string said(EarlyStop& stop, double loss, const SweepRules& rules, int64_t step = 10) {
    return stop.evaluated(*store.run("me"), store::eval_of("me", 1, step, step, loss), rules);
  }
};

TEST_F(EarlyStopTest, ARunIsHeldAgainstThoseOfItsGroup) {
  SweepRules rules = sweep_rules({{"stop_rule", "asha"}, {"stop", {{"grace", 10}, {"reduction", 2}}}});
  EarlyStop all(store);
  EXPECT_NE(said(all, 3.1, rules).find("2 of 4 runs were better at step 10"), std::string::npos);
  rules.stop_within = {"train.lr"};
  EarlyStop within(store);
  EXPECT_NE(said(within, 3.1, rules).find("1 of 3"), std::string::npos);
  EXPECT_EQ(said(within, 2.9, rules), "");  // it repeats the step after it was resumed
  EXPECT_EQ(said(within, NAN, rules), "");
  rules.stop.rule = schedule::StopRule::none;
  EXPECT_EQ(said(within, 9, rules), "");
}

TEST_F(EarlyStopTest, RunsAreRankedByAnyMetricInItsDirection) {
  const MetricKind kind{"arc.acc", Better::higher, "fraction", 0.25, "right"};
  store.put_metric_kinds({&kind, 1}, 1);
  for (const char* id : {"a0", "a1"}) store.make_anew(id);
  const auto eval = [&](const char* id, int64_t attempt, double accuracy) {
    event::Event event = store::eval_of(id, attempt, 1, 10, 2);
    event.fields["arc.acc"] = accuracy;
    return event;
  };
  for (const auto& [id, accuracy] : {std::pair("a0", 0.5), std::pair("a1", 0.6)}) {
    const int64_t attempt = store.claim(id, "cpu", 1, 1).value();
    ingest(id, attempt, {eval(id, attempt, accuracy)}, 10);
    store.finish(id, attempt, end(RunState::done));
  }
  const SweepRules rules =
      sweep_rules({{"stop_rule", "median"}, {"stop", {{"metric", "arc.acc"}, {"fewest", 2}, {"grace", 5}}}});
  EarlyStop stop(store);
  EXPECT_EQ(stop.evaluated(*store.run("me"), eval("me", 1, 0.58), rules), "");
  EXPECT_EQ(stop.evaluated(*store.run("me"), eval("me", 1, 0.4), rules),
            "median: its best of 0.4000 by step 10 is below 0.5500, the median of the means of 2 runs");
}

TEST_F(EarlyStopTest, WhatEndsWhileItLooksCountsToo) {
  const SweepRules rules = sweep_rules({{"stop_rule", "median"}, {"stop", {{"fewest", 3}, {"grace", 5}}}});
  EarlyStop stop(store);
  EXPECT_NE(said(stop, 9, rules), "");
  store::RunRecord failed = *store.run("a0");
  failed.state = RunState::failed;
  stop.ended(failed);
  EXPECT_EQ(said(stop, 9, rules), "");  // two are too few
}

TEST_F(EarlyStopTest, TheEndOfACurveIsAskedOfTheCaller) {
  const SweepRules rules = sweep_rules({{"stop_rule", "curve"}, {"stop", {{"grace", 5}}}});
  store::RunRecord me = *store.run("me");
  me.spec = to_json(spec::RunSpec{});
  const event::Event event = store::eval_of("me", 1, 10, 10, 9);
  EXPECT_EQ(EarlyStop(store).evaluated(me, event, rules), "");
  EarlyStop stop(store, [](const schedule::RunCurve& run, const spec::TrainSpec&) {
    EXPECT_EQ(run.id, "me");
    return std::optional(schedule::Extrapolation{8, 0.1});
  });
  EXPECT_NE(stop.evaluated(me, event, rules), "");  // the best finished peer is at 2.0
}

TEST_F(EarlyStopTest, SweepsComeAfterSweepsAndRuns) {
  const auto waits = [&](const std::string& name) { return waits_for(store, sweep_rules({{"after", {name}}})); };
  EXPECT_EQ(waits("s"), "comes after sweep s, of which 1 run has not ended");
  EXPECT_EQ(waits("me"), "comes after run me, which is queued");
  EXPECT_EQ(waits("a0"), "");
  EXPECT_EQ(waits("nowhere"), "comes after nowhere, which is no sweep or run of this root");
  over("me", 1, RunState::stopped);
  EXPECT_EQ(waits("s"), "");
}

TEST_F(EarlyStopTest, ARunThatRanOutOfMemoryIsQueuedAsItsSweepAllows) {
  store.submit([] {
    store::NewSweep sweep = store::new_sweep("t", {store::new_run("oo")});
    sweep.settings["on_oom"] = "alone";
    return sweep;
  }());
  const int64_t attempt = store.claim("oo", "cpu", 1, 1).value();
  store.requeue("oo", attempt, end(RunState::failed, ExitCause::oom), false, 0);
  QueueMaker maker(store);
  for (const store::QueueEntry& entry : store.queue()) EXPECT_EQ(maker.queued_run(entry, 0).alone, entry.id == "oo");
}

TEST(Judge, ARuleThatStoppedItIsNamed) {
  Evidence evidence;
  evidence.poll.liveness = execute::Liveness::lost;
  evidence.stop = StopReason::rule;
  evidence.stop_words = "median: above";
  const execute::Outcome outcome = judge(evidence);
  EXPECT_EQ(outcome.state, RunState::stopped);
  EXPECT_EQ(outcome.cause, ExitCause::stopped);
  EXPECT_EQ(outcome.message, "median: above");
}

}  // namespace
}  // namespace bitsweep::coordinate
