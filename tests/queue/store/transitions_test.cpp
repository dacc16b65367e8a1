#include <thread>

#include "store_fixture.h"

namespace bitsweep::store {
namespace {

constexpr const char* kRun = "aaaaaaaaaaaa";
class TransitionsTest : public StoreTest {};

TEST_F(TransitionsTest, TheWayOfAGoodRun) {
  EXPECT_EQ(claimed(kRun), 1);
  EXPECT_EQ(store.state(kRun), RunState::starting);
  EXPECT_EQ(store.live_attempts().size(), 1u);
  EXPECT_TRUE(store.mark_running(kRun, 1, 4242));
  EXPECT_EQ(store.state(kRun), RunState::running);
  EXPECT_TRUE(store.finish(kRun, 1, end(RunState::done)));
  EXPECT_EQ(store.state(kRun), RunState::done);
  EXPECT_TRUE(store.live_attempts().empty());
  EXPECT_TRUE(store.queue().empty());
}

TEST_F(TransitionsTest, ARunIsClaimedOnce) {
  claimed(kRun);
  EXPECT_FALSE(store.claim(kRun, "cpu", 1, 1).has_value());
  EXPECT_FALSE(store.claim("nosuchrun000", "cpu", 1, 1).has_value());
  EXPECT_EQ(count("attempt"), 1);
}

TEST_F(TransitionsTest, TwoConnectionsClaimingAtOnceShareTheRuns) {
  std::vector<NewRun> runs;
  for (int i = 0; i < 60; ++i) runs.push_back(new_run("run" + std::to_string(100000000 + i), i));
  store.submit(new_sweep("s", runs));
  std::vector<int> won(2);
  const auto take = [&](int who) {
    Store own(root, StoreMode::create);
    own.database().execute("PRAGMA synchronous = OFF");
    for (const NewRun& run : runs) won[static_cast<size_t>(who)] += own.claim(run.id, "cpu", 1, 1).has_value();
  };
  std::thread first(take, 0), second(take, 1);
  first.join();
  second.join();
  EXPECT_EQ(won[0] + won[1], 60);
  EXPECT_EQ(count("attempt"), 60);
}

TEST_F(TransitionsTest, AnAttemptEndsOnce) {
  claimed(kRun);
  EXPECT_TRUE(store.finish(kRun, 1, end(RunState::failed, ExitCause::signal)));
  EXPECT_FALSE(store.finish(kRun, 1, end(RunState::done)));
  EXPECT_FALSE(store.requeue(kRun, 1, end(RunState::failed), true, 0));
  EXPECT_FALSE(store.mark_running(kRun, 1, 1));
  EXPECT_EQ(store.run(kRun)->cause, ExitCause::signal);
  EXPECT_EQ(store.run(kRun)->message, "why");
}

TEST_F(TransitionsTest, TerminalStatesStay) {
  for (const RunState state : {RunState::done, RunState::failed, RunState::stopped, RunState::cancelled}) {
    const std::string id = "run-" + std::string(to_text(state));
    claimed(id);
    store.finish(id, 1, end(state));
    EXPECT_FALSE(store.claim(id, "cpu", 1, 1).has_value());
    EXPECT_FALSE(store.cancel(id));
    EXPECT_FALSE(store.set_paused(id, true));
    EXPECT_FALSE(store.set_priority(id, 5));
    store.submit(new_sweep("again", {new_run(id)}));
    EXPECT_EQ(store.state(id), state);
  }
}

TEST_F(TransitionsTest, OnlyRetryLeavesATerminalState) {
  claimed(kRun);
  EXPECT_FALSE(store.retry(kRun));
  store.requeue(kRun, 1, end(RunState::failed, ExitCause::signal), true, 0);
  store.claim(kRun, "cpu", 1, 1);
  store.finish(kRun, 2, end(RunState::failed, ExitCause::signal));
  EXPECT_TRUE(store.retry(kRun));
  EXPECT_EQ(store.state(kRun), RunState::queued);
  EXPECT_EQ(store.run(kRun)->faults, 0);
  EXPECT_EQ(store.claim(kRun, "cpu", 1, 1), 3);
  store.finish(kRun, 3, end(RunState::done));
  EXPECT_FALSE(store.retry(kRun));
}

TEST_F(TransitionsTest, ARequeuedRunCountsItsFaultsAndWaits) {
  claimed(kRun);
  EXPECT_TRUE(store.requeue(kRun, 1, end(RunState::failed, ExitCause::oom), true, clock.unix + 4));
  const RunRecord run = *store.run(kRun);
  EXPECT_EQ(run.state, RunState::queued);
  EXPECT_EQ(run.faults, 1);
  EXPECT_EQ(run.not_before, clock.unix + 4);
  EXPECT_EQ(run.cause, ExitCause::oom);
  store.claim(kRun, "cpu", 1, 1);
  store.requeue(kRun, 2, end(RunState::stopped, ExitCause::stopped), false, 0);
  EXPECT_EQ(store.run(kRun)->faults, 1);
  EXPECT_EQ(store.run(kRun)->attempts, 2);
}

TEST_F(TransitionsTest, AttemptNumbersAreNeverUsedTwice) {
  store.submit(new_sweep("s", {new_run(kRun)}));
  EXPECT_EQ(store.claim(kRun, "cpu", 1, 1, 7), 7);  // folders of an earlier database hold attempts 1 to 6
  store.requeue(kRun, 7, end(RunState::failed), true, 0);
  EXPECT_EQ(store.claim(kRun, "cpu", 1, 1, 2), 8);
}

TEST_F(TransitionsTest, LateWordsOfAnOldAttemptDoNotTouchTheNewOne) {
  claimed(kRun);
  store.requeue(kRun, 1, end(RunState::failed, ExitCause::lost), true, 0);
  store.claim(kRun, "cpu", 1, 1);
  EXPECT_FALSE(store.finish(kRun, 1, end(RunState::done)));
  EXPECT_EQ(store.state(kRun), RunState::starting);
}

TEST_F(TransitionsTest, CancelWhileQueuedAndWhileLive) {
  store.submit(new_sweep("s", {new_run(kRun)}));
  EXPECT_TRUE(store.cancel(kRun));
  EXPECT_EQ(store.state(kRun), RunState::cancelled);
  claimed("bbbbbbbbbbbb");
  EXPECT_TRUE(store.asked_to_cancel().empty());
  EXPECT_TRUE(store.cancel("bbbbbbbbbbbb"));
  EXPECT_EQ(store.state("bbbbbbbbbbbb"), RunState::starting);  // the coordinator carries it out
  EXPECT_EQ(store.asked_to_cancel(), std::vector<std::string>{"bbbbbbbbbbbb"});
}

TEST_F(TransitionsTest, APausedRunIsNotClaimed) {
  store.submit(new_sweep("s", {new_run(kRun)}));
  EXPECT_TRUE(store.set_paused(kRun, true));
  EXPECT_FALSE(store.set_paused(kRun, true));
  EXPECT_FALSE(store.claim(kRun, "cpu", 1, 1).has_value());
  EXPECT_TRUE(store.set_paused(kRun, false));
  EXPECT_TRUE(store.claim(kRun, "cpu", 1, 1).has_value());
}

TEST_F(TransitionsTest, AnotherConnectionsWritesAreNoticed) {
  const int64_t before = store.data_version();
  store.submit(new_sweep("s", {new_run(kRun)}));
  EXPECT_EQ(store.data_version(), before);  // one's own are not news
  Store(root, StoreMode::create).cancel(kRun);
  EXPECT_NE(store.data_version(), before);
}

TEST_F(TransitionsTest, WordsAndStatesMatch) {
  for (int i = 0; i <= static_cast<int>(RunState::cancelled); ++i)
    EXPECT_EQ(run_state_from(to_text(static_cast<RunState>(i))), static_cast<RunState>(i));
  for (int i = 0; i <= static_cast<int>(ExitCause::withdrawn); ++i)
    EXPECT_EQ(exit_cause_from(to_text(static_cast<ExitCause>(i))), static_cast<ExitCause>(i));
  EXPECT_FALSE(run_state_from("sleeping").has_value());
}

}  // namespace
}  // namespace bitsweep::store
