// What people ask of a queue while it is worked on, through the database, from another process.
#include "store/control.h"

#include <cstdlib>

#include "process_fixture.h"

namespace bitsweep {
namespace {

class ControlTest : public ProcessTest {
 protected:
  ~ControlTest() override {
    for (const char* name : {"BITSWEEP_TEST_HUNG_AFTER", "BITSWEEP_TEST_DISK_FLOOR", "BITSWEEP_TEST_FOREVER"})
      ::unsetenv(name);
  }
  RunState state_of(const std::string& id) { return open_store().state(id).value(); }
  int64_t live_runs() { return static_cast<int64_t>(open_store().live_attempts().size()); }
};

TEST_F(ControlTest, APausedRunStopsAfterACheckpointAndGoesOnWhereItWas) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 400}}), fake_run("bbbbbbbbbbbb", 2, {{"steps", 400}})});
  start_coordinator();
  until_step("aaaaaaaaaaaa", 15);
  EXPECT_TRUE(open_store().set_paused("aaaaaaaaaaaa", true));
  until("it is put back", [&] { return state_of("aaaaaaaaaaaa") == RunState::queued; });
  EXPECT_EQ(to_text(open_store().run("aaaaaaaaaaaa")->cause), "stopped");
  EXPECT_EQ(open_store().run("aaaaaaaaaaaa")->faults, 0);
  EXPECT_TRUE(open_store().set_paused("aaaaaaaaaaaa", false));
  EXPECT_EQ(wait_coordinator(), 0);
  store::Store store = open_store();
  for (const std::string& id : ids) expect_sound(store, id);
  EXPECT_EQ(store.run("aaaaaaaaaaaa")->attempts, 2);
}

TEST_F(ControlTest, AllCanBePausedAndTheCoordinatorWaits) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 300}}), fake_run("bbbbbbbbbbbb", 2, {{"steps", 300}}),
          fake_run("cccccccccccc", 3)});
  start_coordinator();
  until_step("aaaaaaaaaaaa", 15);
  {
    store::Store store = open_store();
    set_all_paused(store, true);
  }
  until("nothing runs", [&] { return live_runs() == 0; });
  ::usleep(300'000);
  EXPECT_FALSE(coordinator_ended());
  EXPECT_EQ(open_store().counts().at(RunState::queued), 3);
  {
    store::Store store = open_store();
    set_all_paused(store, false);
  }
  EXPECT_EQ(wait_coordinator(), 0);
  store::Store store = open_store();
  for (const std::string& id : ids) expect_sound(store, id);
}

TEST_F(ControlTest, WhatIsPausedBeforehandIsNotBegun) {
  submit({fake_run("aaaaaaaaaaaa", 1), fake_run("bbbbbbbbbbbb", 2)});
  open_store().set_paused("aaaaaaaaaaaa", true);
  EXPECT_EQ(work(), 0);
  EXPECT_EQ(state_of("aaaaaaaaaaaa"), RunState::queued);
  EXPECT_EQ(state_of("bbbbbbbbbbbb"), RunState::done);
}

TEST_F(ControlTest, SlotsChangeWithoutARestart) {
  std::vector<store::NewRun> runs;
  for (int i = 0; i < 4; ++i) runs.push_back(fake_run("aaaaaaaaaaa" + std::to_string(i), i, {{"steps", 300}}));
  submit(runs);
  start_coordinator(1);
  until_step("aaaaaaaaaaa0", 5);
  EXPECT_EQ(live_runs(), 1);
  {
    store::Store store = open_store();
    set_devices(store, "cpu:3", 1);
  }
  until("three at once", [&] { return live_runs() == 3; });
  EXPECT_EQ(read_coordinator_status(*std::make_unique<store::Store>(root, store::StoreMode::read_only))->devices,
            "cpu:3");
  EXPECT_EQ(wait_coordinator(), 0);
  store::Store store = open_store();
  for (const std::string& id : ids) expect_sound(store, id);
}

TEST_F(ControlTest, ABumpedRunGoesFirst) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 100}}), fake_run("bbbbbbbbbbbb", 2), fake_run("cccccccccccc", 3)});
  start_coordinator(1);
  until_step("aaaaaaaaaaaa", 5);
  {
    store::Store store = open_store();
    EXPECT_TRUE(store.set_priority("cccccccccccc", foremost_priority(store)));
  }
  EXPECT_EQ(wait_coordinator(), 0);
  EXPECT_EQ(open_store().database().integer("SELECT (SELECT started FROM run WHERE id = 'cccccccccccc') < "
                                            "(SELECT started FROM run WHERE id = 'bbbbbbbbbbbb')"),
            1);
}

TEST_F(ControlTest, AnIdleCoordinatorTakesWhatIsSubmittedAndEndsWithTerm) {
  ::setenv("BITSWEEP_TEST_FOREVER", "1", 1);
  submit({fake_run("aaaaaaaaaaaa", 1)});
  start_coordinator();
  until("the first is done", [&] { return state_of("aaaaaaaaaaaa") == RunState::done; });
  ids.push_back("bbbbbbbbbbbb");
  open_store().submit(
      {.name = "later", .file = "", .source = "", .settings = {}, .runs = {fake_run("bbbbbbbbbbbb", 2)}});
  until("the second is done", [&] { return state_of("bbbbbbbbbbbb") == RunState::done; });
  ::kill(coordinator, SIGTERM);
  EXPECT_EQ(wait_coordinator(), 130);
}

TEST_F(ControlTest, ARunThatHangsIsEndedAndTriedAgain) {
  ::setenv("BITSWEEP_TEST_HUNG_AFTER", "0.3", 1);
  submit({fake_run("aaaaaaaaaaaa", 1, {{"act", "hang_once"}, {"act_step", 25}})});
  EXPECT_EQ(work(2, "0.2"), 0);  // it does not hear TERM either
  store::Store store = open_store();
  expect_sound(store, "aaaaaaaaaaaa");
  EXPECT_EQ(to_text(store.attempt("aaaaaaaaaaaa", 1)->cause), "hung");
  EXPECT_EQ(store.run("aaaaaaaaaaaa")->attempts, 2);
}

TEST_F(ControlTest, OneThatSpinsWithoutAWordHangsToo) {
  ::setenv("BITSWEEP_TEST_HUNG_AFTER", "0.3", 1);
  store::NewRun run = fake_run("aaaaaaaaaaaa", 1, {{"act", "spin"}, {"act_step", 25}});
  run.retries = 0;
  submit({run});
  start_coordinator(1, "0.2");
  EXPECT_EQ(wait_coordinator(), 1);
  const store::RunRecord record = open_store().run("aaaaaaaaaaaa").value();
  EXPECT_EQ(to_text(record.cause), "hung");
  EXPECT_FALSE(record.message.empty());
}

// Whichever comes first wins, and stays.
TEST_F(ControlTest, CancellingRacesWithTheEnd) {
  std::vector<store::NewRun> runs;
  for (int i = 0; i < 12; ++i)
    runs.push_back(fake_run("aaaaaaaaaa" + std::to_string(10 + i), i, {{"steps", 10}, {"step_ms", 1}}));
  submit(runs);
  start_coordinator();
  std::map<std::string, bool> accepted;
  for (const std::string& id : ids) {
    until("it has begun or ended", [&] { return state_of(id) != RunState::queued; });
    ::usleep(static_cast<useconds_t>(random_below(5, 1, accepted.size(), 40'000)));
    accepted[id] = open_store().cancel(id);
  }
  EXPECT_EQ(wait_coordinator(), 0) << log();
  store::Store store = open_store();
  for (const std::string& id : ids) {
    const RunState state = store.state(id).value();
    EXPECT_TRUE(state == RunState::done || (state == RunState::cancelled && accepted[id])) << id << to_text(state);
    EXPECT_EQ(store.attempts(id).size(), 1u);
    EXPECT_TRUE(store.run(id)->request.empty());
  }
}

}  // namespace
}  // namespace bitsweep
