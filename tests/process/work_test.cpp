// The work loop with real processes, undisturbed: what becomes of runs that end in each way.
#include "process_fixture.h"

namespace bitsweep {
namespace {

class WorkTest : public ProcessTest {};

TEST_F(WorkTest, EveryRunIsDoneOnce) {
  submit({fake_run("aaaaaaaaaaaa", 1), fake_run("bbbbbbbbbbbb", 2), fake_run("cccccccccccc", 3)});
  EXPECT_EQ(work(), 0);
  store::Store store = open_store();
  for (const std::string& id : ids) {
    expect_sound(store, id);
    EXPECT_EQ(store.run(id)->attempts, 1);
  }
  EXPECT_NE(log().find("3 of 3 done"), std::string::npos) << log();
  EXPECT_EQ(work(), 0);  // nothing is left to do
  EXPECT_EQ(store.run("aaaaaaaaaaaa")->attempts, 1);
}

TEST_F(WorkTest, ThreadsAndDeviceReachTheWorker) {
  submit({fake_run("aaaaaaaaaaaa", 1)});
  EXPECT_EQ(work(2), 0);
  const auto events = event::read_events(folder("aaaaaaaaaaaa", 1) / "events.jsonl", 0).events;
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(string_or(events[0].fields, "device", ""), "cpu");
  EXPECT_EQ(string_or(events[0].fields, "threads", ""), "1");  // two threads, two slots
}

// The first run is over before it is known that runs are short; those after it find a worker that waits.
TEST_F(WorkTest, ShortRunsAreGivenToWorkersThatWait) {
  const std::vector<std::string> names = {"aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc", "dddddddddddd"};
  std::vector<store::NewRun> runs;
  for (const std::string& name : names) runs.push_back(fake_run(name, 1));
  submit(runs);
  EXPECT_EQ(work(1), 0);
  store::Store store = open_store();
  int64_t waited = 0;
  for (const std::string& name : names) {
    expect_sound(store, name);
    EXPECT_EQ(store.run(name)->attempts, 1);
    waited += read_file(folder(name, 1) / "worker.log").find("was waiting") != std::string::npos;
  }
  EXPECT_GE(waited, 2);
  EXPECT_LT(waited, 4) << "the first one cannot have been waiting";
}

TEST_F(WorkTest, EachWayToFailHasItsCauseAndOthersGoOn) {
  store::NewRun fails = fake_run("aaaaaaaaaaaa", 1, {{"act", "exit:1"}, {"act_step", 5}});
  fails.retries = 1;
  store::NewRun silent = fake_run("eeeeeeeeeeee", 5, {{"act", "silent_exit"}});
  silent.retries = 0;
  submit({fails, fake_run("bbbbbbbbbbbb", 2, {{"act", "exit:2"}}),
          fake_run("cccccccccccc", 3, {{"act", "diverge"}, {"act_step", 12}}), fake_run("dddddddddddd", 4), silent});
  EXPECT_EQ(work(), 1);
  store::Store store = open_store();
  const auto expect = [&](const char* id, const char* state, const char* cause, int64_t attempts) {
    const store::RunRecord run = store.run(id).value();
    EXPECT_EQ(to_text(run.state), state) << id;
    EXPECT_EQ(to_text(run.cause), cause) << id;
    EXPECT_EQ(run.attempts, attempts) << id;
  };
  expect("aaaaaaaaaaaa", "failed", "exit_code", 2);
  expect("bbbbbbbbbbbb", "failed", "bad_input", 1);
  expect("cccccccccccc", "failed", "diverged", 1);
  expect("dddddddddddd", "done", "", 1);
  expect("eeeeeeeeeeee", "failed", "unfinished", 1);
  EXPECT_EQ(store.run("aaaaaaaaaaaa")->message, "told to fail");
  EXPECT_NE(log().find("worker.log"), std::string::npos);
}

TEST_F(WorkTest, ACrashIsTriedAgainFromTheLastCheckpoint) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"act", "crash_once"}, {"act_step", 25}})});
  EXPECT_EQ(work(), 0);
  store::Store store = open_store();
  expect_sound(store, "aaaaaaaaaaaa");
  const auto attempts = store.attempts("aaaaaaaaaaaa");
  ASSERT_EQ(attempts.size(), 2u);
  EXPECT_EQ(to_text(attempts[0].cause), "signal");
  EXPECT_EQ(attempts[0].signal, SIGSEGV);
  EXPECT_EQ(store.database().integer("SELECT resumed_step FROM attempt WHERE attempt = 2"), 20);
  // Of each kind of checkpoint only the newest is kept.
  EXPECT_FALSE(fs::exists(folder("aaaaaaaaaaaa", 1) / "checkpoints/last.safetensors"));
  EXPECT_TRUE(fs::exists(folder("aaaaaaaaaaaa", 2) / "checkpoints/last.safetensors"));
  EXPECT_TRUE(coordinate::best_checkpoint(folder("aaaaaaaaaaaa")).has_value());
}

TEST_F(WorkTest, ATruncatedCheckpointIsRefusedAndThePreviousOneUsed) {
  submit({fake_run("aaaaaaaaaaaa", 1)});
  const fs::path old = folder("aaaaaaaaaaaa", 1) / "checkpoints", torn = folder("aaaaaaaaaaaa", 2) / "checkpoints";
  fs::create_directories(old);
  fs::create_directories(torn);
  // What an earlier database left: attempt 1 in order, attempt 2 with a torn file.
  uint64_t value = 1;
  for (uint64_t step = 1; step <= 10; ++step) value = random_bits(value, 7, step);
  std::ofstream(old / "last.safetensors")
      << json::serialize(json::object{{"step", 10}, {"value", std::to_string(value)}, {"best", 9.0}});
  std::ofstream(torn / "last.safetensors") << "{\"step\": 2";
  EXPECT_EQ(work(), 0);
  store::Store store = open_store();
  EXPECT_EQ(store.run("aaaaaaaaaaaa")->attempts, 3);
  EXPECT_EQ(store.database().integer("SELECT count(*) FROM events WHERE event = 'refused'"), 1);
  EXPECT_EQ(store.database().integer("SELECT resumed_step FROM attempt"), 10);
  auto expected = expected_losses(store.run("aaaaaaaaaaaa")->spec, 1);
  expected.erase(5);
  expected.erase(10);
  EXPECT_EQ(losses(store, "aaaaaaaaaaaa"), expected);
}

TEST_F(WorkTest, AFinetuneWaitsForItsBaseAndStartsFromIt) {
  store::NewRun tuned = fake_run("aaaaaaaaaaaa", 9);
  tuned.init_from = "bbbbbbbbbbbb";
  tuned.priority = 10;  // not even urgency goes before it
  submit({tuned, fake_run("bbbbbbbbbbbb", 2)});
  EXPECT_EQ(work(), 0);
  const auto events = event::read_events(folder("aaaaaaaaaaaa", 1) / "events.jsonl", 0).events;
  ASSERT_GT(events.size(), 1u);
  EXPECT_EQ(events[1].kind, "init");
  EXPECT_NE(string_or(events[1].fields, "from", "").find("bbbbbbbbbbbb/attempt-1/checkpoints/best"), std::string::npos);
}

TEST_F(WorkTest, AFinetuneOfAFailedBaseIsLeftAndNamed) {
  store::NewRun tuned = fake_run("aaaaaaaaaaaa", 9);
  tuned.init_from = "bbbbbbbbbbbb";
  submit({tuned, fake_run("bbbbbbbbbbbb", 2, {{"act", "exit:2"}})});
  EXPECT_EQ(work(), 1);
  EXPECT_EQ(open_store().state("aaaaaaaaaaaa"), RunState::queued);
  EXPECT_NE(log().find("starts from run bbbbbbbbbbbb, which is failed"), std::string::npos) << log();
}

TEST_F(WorkTest, ASweepStopsAfterAsManyFailuresAsItSays) {
  std::vector<store::NewRun> runs;
  for (int i = 0; i < 5; ++i) runs.push_back(fake_run("run00000000" + std::to_string(i), i, {{"act", "exit:2"}}));
  submit(runs, {{"stop_after", 2}});
  EXPECT_EQ(work(1), 1);
  store::Store store = open_store();
  EXPECT_EQ(store.counts().at(RunState::failed), 2);
  EXPECT_EQ(store.counts().at(RunState::queued), 3);
}

TEST_F(WorkTest, ARunThatTakesTooLongIsStopped) {
  store::NewRun slow = fake_run("aaaaaaaaaaaa", 1, {{"steps", 100000}});
  slow.resources.timeout_s = 0.3;
  submit({slow});
  EXPECT_EQ(work(), 1);
  EXPECT_EQ(to_text(open_store().run("aaaaaaaaaaaa")->cause), "timeout");
}

TEST_F(WorkTest, ALiveRunIsCancelledFromElsewhere) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 100000}}), fake_run("bbbbbbbbbbbb", 2)});
  start_coordinator();
  until_step("aaaaaaaaaaaa", 5);
  EXPECT_TRUE(open_store().cancel("aaaaaaaaaaaa"));
  EXPECT_EQ(wait_coordinator(), 0);
  store::Store store = open_store();
  EXPECT_EQ(store.state("aaaaaaaaaaaa"), RunState::cancelled);
  EXPECT_EQ(store.state("bbbbbbbbbbbb"), RunState::done);
}

TEST_F(WorkTest, ASecondCoordinatorIsRefusedAndTheFirstNamed) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 100000}})});
  start_coordinator();
  until_step("aaaaaaaaaaaa", 5);
  const pid_t first = coordinator;
  EXPECT_EQ(work(), 4);
  EXPECT_NE(log().find(std::to_string(first)), std::string::npos) << log();
  coordinator = first;
  kill_coordinator(SIGINT);
}

TEST_F(WorkTest, WhatIsSubmittedMeanwhileIsTaken) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 300}})});
  start_coordinator();
  until_step("aaaaaaaaaaaa", 5);
  ids.push_back("bbbbbbbbbbbb");
  open_store().submit(
      {.name = "later", .file = "", .source = "", .settings = {}, .runs = {fake_run("bbbbbbbbbbbb", 2)}});
  EXPECT_EQ(wait_coordinator(), 0);
  EXPECT_EQ(open_store().state("bbbbbbbbbbbb"), RunState::done);
}

TEST_F(WorkTest, AChildThatAWorkerLeavesBehindEndsWithIt) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"act", "leave_child"}, {"act_step", 3}})});
  EXPECT_EQ(work(), 0);
  store::Store store = open_store();
  expect_sound(store, "aaaaaaaaaaaa");
}

TEST_F(WorkTest, AWorkerThatIsMissingFailsItsRunsClearly) {
  store::NewRun run = fake_run("aaaaaaaaaaaa", 1);
  run.retries = 0;
  submit({run});
  std::string log_path = (root / "coordinator.log").string();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::execl(kCoordinator, kCoordinator, "work", root.c_str(), "/nowhere/worker", "1", "1", nullptr);
    ::_exit(99);
  }
  coordinator = pid;
  EXPECT_EQ(wait_coordinator(), 1);
  const store::RunRecord record = open_store().run("aaaaaaaaaaaa").value();
  EXPECT_EQ(to_text(record.cause), "cannot_start");
  EXPECT_NE(record.message.find("/nowhere/worker"), std::string::npos);
}

}  // namespace
}  // namespace bitsweep
