// kill -9 of coordinator, shim and worker: no event lost or doubled, no two workers at once, and in the end the losses
// of an undisturbed run, bit for bit.
#include "process_fixture.h"
#include "store/rebuild.h"

namespace bitsweep {
namespace {

class KillTest : public ProcessTest {
 protected:
  void kill_quietly(int64_t pid) {
    if (pid > 1) ::kill(static_cast<pid_t>(pid), SIGKILL);
  }
};

TEST_F(KillTest, AKilledWorkerIsRetriedFromItsLastCheckpoint) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 200}})});
  start_coordinator();
  until_step("aaaaaaaaaaaa", 25);
  kill_quietly(processes("aaaaaaaaaaaa")->worker.pid);
  EXPECT_EQ(wait_coordinator(), 0);
  store::Store store = open_store();
  expect_sound(store, "aaaaaaaaaaaa");
  EXPECT_EQ(store.run("aaaaaaaaaaaa")->attempts, 2);
  EXPECT_GE(store.database().integer("SELECT resumed_step FROM attempt WHERE attempt = 2"), 20);
}

TEST_F(KillTest, AKilledShimTakesItsWorkerAndTheRunGoesOn) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 200}})});
  start_coordinator();
  until_step("aaaaaaaaaaaa", 25);
  kill_quietly(processes("aaaaaaaaaaaa")->shim.pid);
  EXPECT_EQ(wait_coordinator(), 0);
  store::Store store = open_store();
  expect_sound(store, "aaaaaaaaaaaa");
  EXPECT_EQ(to_text(store.attempt("aaaaaaaaaaaa", 1)->cause), "lost");
}

TEST_F(KillTest, AfterTheCoordinatorsDeathItsWorkersAreAdopted) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 300}}), fake_run("bbbbbbbbbbbb", 2, {{"steps", 300}}),
          fake_run("cccccccccccc", 3)});
  start_coordinator();
  until_step("aaaaaaaaaaaa", 15);
  until_step("bbbbbbbbbbbb", 15);
  kill_coordinator(SIGKILL);
  EXPECT_TRUE(is_alive(processes("aaaaaaaaaaaa")->worker));
  EXPECT_EQ(work(), 0);
  EXPECT_NE(log().find("adopt"), std::string::npos) << log();
  store::Store store = open_store();
  for (const std::string& id : ids) {
    expect_sound(store, id);
    EXPECT_EQ(store.run(id)->attempts, 1);  // nothing was begun anew
  }
}

TEST_F(KillTest, WhatEndedWhileNobodyWatchedIsRecorded) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 60}}),
          fake_run("bbbbbbbbbbbb", 2, {{"steps", 60}, {"act", "diverge"}, {"act_step", 30}})});
  start_coordinator();
  until_step("aaaaaaaaaaaa", 5);
  until_step("bbbbbbbbbbbb", 5);
  kill_coordinator(SIGKILL);
  for (const std::string& id : ids) until("its end", [&] { return fs::exists(folder(id, 1) / "exit.json"); });
  EXPECT_EQ(work(), 1);
  store::Store store = open_store();
  expect_sound(store, "aaaaaaaaaaaa");
  EXPECT_EQ(to_text(store.run("bbbbbbbbbbbb")->cause), "diverged");
  EXPECT_EQ(store.run("aaaaaaaaaaaa")->attempts, 1);
}

TEST_F(KillTest, EverythingAtOnce) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 200}})});
  start_coordinator();
  until_step("aaaaaaaaaaaa", 25);
  const execute::ProcessRecord record = *processes("aaaaaaaaaaaa");
  kill_coordinator(SIGKILL);
  kill_quietly(record.shim.pid);
  kill_quietly(record.worker.pid);
  EXPECT_EQ(work(), 0);
  store::Store store = open_store();
  expect_sound(store, "aaaaaaaaaaaa");
}

TEST_F(KillTest, TornLinesOfAKilledWriterAreNotCounted) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 200}})});
  start_coordinator();
  until_step("aaaaaaaaaaaa", 25);
  kill_coordinator(SIGKILL);
  kill_quietly(processes("aaaaaaaaaaaa")->worker.pid);
  until("its end", [&] { return fs::exists(folder("aaaaaaaaaaaa", 1) / "exit.json"); });
  std::ofstream(folder("aaaaaaaaaaaa", 1) / "events.jsonl", std::ios::app) << "{\"event\":\"eval\",\"run\":\"aaaaaaaa";
  EXPECT_EQ(work(), 0);
  store::Store store = open_store();
  expect_sound(store, "aaaaaaaaaaaa");
}

}  // namespace
}  // namespace bitsweep
