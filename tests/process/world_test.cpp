// Worlds in which a queue must survive: full and read-only disks, damaged files, strangers, workers that misbehave.
#include <cstdlib>

#include <sys/mount.h>

#include <fmt/format.h>

#include "process_fixture.h"

namespace bitsweep {
namespace {

class WorldTest : public ProcessTest {
 protected:
  ~WorldTest() override {
    ::unsetenv("BITSWEEP_TEST_DISK_FLOOR");
    if (mounted_) ::umount2(root.c_str(), MNT_DETACH);
  }
  // The root on a small disk of its own; false where that is not permitted.
  bool on_small_disk(const char* size) {
    mounted_ = ::mount("tmpfs", root.c_str(), "tmpfs", 0, fmt::format("size={}", size).c_str()) == 0;
    return mounted_;
  }
  void fill_disk(uint64_t leave_bytes) {
    std::ofstream ballast(root / "ballast", std::ios::binary);
    const std::string block(4096, 'x');
    while (free_bytes(root) > leave_bytes && ballast.write(block.data(), 4096).flush()) {
    }
  }
  // The coordinator is gone and the worker of run `id` with it; its files lie there.
  void stop_everything(const std::string& id) {
    start_coordinator();
    until_step(id, 25);
    kill_coordinator(SIGKILL);
    ::kill(static_cast<pid_t>(processes(id)->worker.pid), SIGKILL);
    until("its end", [&] { return fs::exists(folder(id, 1) / "exit.json"); });
  }

 private:
  bool mounted_ = false;
};

TEST_F(WorldTest, ADiskThatFillsUpCostsNothingOnceThereIsRoom) {
  if (!on_small_disk("12m")) GTEST_SKIP() << "mounting a tmpfs is not permitted here";
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 400}}), fake_run("bbbbbbbbbbbb", 2, {{"steps", 400}}),
          fake_run("cccccccccccc", 3)});
  start_coordinator();
  until_step("aaaaaaaaaaaa", 30);
  fill_disk(0);  // events, checkpoints, exit records, the database: whatever comes next finds no room
  ::usleep(500'000);
  fs::remove(root / "ballast");
  EXPECT_EQ(wait_coordinator(), 0) << log();
  store::Store store = open_store();
  for (const std::string& id : ids) {
    EXPECT_EQ(to_text(store.state(id).value()), "done");
    EXPECT_EQ(losses(store, id), expected_losses(store.run(id)->spec, static_cast<uint64_t>(store.run(id)->seed)));
    EXPECT_FALSE(fs::exists(folder(id) / "OVERLAP"));
  }
  EXPECT_EQ(store.database().integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
}

TEST_F(WorldTest, AFullDiskFailsNoRunWithoutAFloorEvenWithoutRetries) {
  if (!on_small_disk("16m")) GTEST_SKIP() << "mounting a tmpfs is not permitted here";
  std::vector<store::NewRun> runs;
  for (int i = 0; i < 8; ++i) {
    runs.push_back(fake_run(fmt::format("{:012x}", i), i, {{"steps", 200}}));
    runs.back().retries = 0;
  }
  submit(std::move(runs));
  start_coordinator(2);
  until_step(ids[0], 30);
  fill_disk(0);
  ::sleep(4);  // what runs ends for want of room; what waits does not begin
  EXPECT_FALSE(coordinator_ended()) << log();
  fs::remove(root / "ballast");
  EXPECT_EQ(wait_coordinator(), 0) << log();
  store::Store store = open_store();
  EXPECT_EQ(store.counts().at(RunState::done), 8);
  EXPECT_EQ(store.database().integer("SELECT max(faults) FROM run"), 0);
  for (const std::string& id : ids) {
    EXPECT_EQ(losses(store, id), expected_losses(store.run(id)->spec, static_cast<uint64_t>(store.run(id)->seed)));
    EXPECT_FALSE(fs::exists(folder(id) / "OVERLAP"));
  }
}

TEST_F(WorldTest, BelowTheFloorRunsAreStoppedAndGoOnWhenThereIsRoom) {
  if (!on_small_disk("40m")) GTEST_SKIP() << "mounting a tmpfs is not permitted here";
  ::setenv("BITSWEEP_TEST_DISK_FLOOR", "20e6", 1);
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 600}}), fake_run("bbbbbbbbbbbb", 2)});
  start_coordinator(1);
  until_step("aaaaaaaaaaaa", 15);
  fill_disk(3'000'000);
  until("it is stopped", [&] { return open_store().live_attempts().empty(); });
  EXPECT_EQ(open_store().run("aaaaaaaaaaaa")->faults, 0);
  EXPECT_NE(log().find("below the floor of 20 MB"), std::string::npos) << log();
  fs::remove(root / "ballast");
  EXPECT_EQ(wait_coordinator(), 0) << log();
  store::Store store = open_store();
  for (const std::string& id : ids) expect_sound(store, id);
  EXPECT_EQ(store.run("aaaaaaaaaaaa")->attempts, 2);
}

TEST_F(WorldTest, AReadOnlyRootIsRefusedInWords) {
  if (!on_small_disk("8m")) GTEST_SKIP() << "mounting a tmpfs is not permitted here";
  submit({fake_run("aaaaaaaaaaaa", 1)});
  ASSERT_EQ(::mount(nullptr, root.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl(kCoordinator, kCoordinator, "work", root.c_str(), kFakeWorker, "1", "1", nullptr);
    ::_exit(99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 3);
}

TEST_F(WorldTest, ForeignTornAndNulLinesAreNoEvents) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 200}})});
  stop_everything("aaaaaaaaaaaa");
  std::ofstream(folder("aaaaaaaaaaaa", 1) / "events.jsonl", std::ios::app | std::ios::binary)
      << std::string("\0\0\0\n", 4) << "Traceback (most recent call last):\n"
      << "{\"event\":\"eval\",\"run\":\"ffffffffffff\",\"attempt\":1,\"seq\":9,\"step\":9,\"time\":1,\"val_bpc\":0}\n"
      << "{\"event\":\"eval\",\"run\":\"aaaaaaaa";
  EXPECT_EQ(work(), 0);
  store::Store store = open_store();
  EXPECT_EQ(to_text(store.state("aaaaaaaaaaaa").value()), "done");
  EXPECT_EQ(losses(store, "aaaaaaaaaaaa"), expected_losses(store.run("aaaaaaaaaaaa")->spec, 1));
  EXPECT_EQ(store.database().integer("SELECT count(*) FROM event WHERE run <> 'aaaaaaaaaaaa'"), 0);
}

TEST_F(WorldTest, AnEventFileThatIsCutOrReplacedLosesNoRow) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 200}})});
  stop_everything("aaaaaaaaaaaa");
  int64_t before = 0;
  {
    start_coordinator();  // takes in all there is
    until("the second attempt", [&] { return coordinate::highest_attempt(folder("aaaaaaaaaaaa")) == 2; });
    kill_coordinator(SIGKILL);
    before = open_store().database().integer("SELECT count(*) FROM event WHERE attempt = 1");
  }
  const fs::path file = folder("aaaaaaaaaaaa", 1) / "events.jsonl";
  const std::string text = read_file(file);
  fs::resize_file(file, text.find('\n') + 1);
  std::ofstream(root / "other") << text.substr(0, text.size() / 2);
  fs::rename(root / "other", file);
  EXPECT_EQ(work(), 0);
  store::Store store = open_store();
  EXPECT_EQ(store.database().integer("SELECT count(*) FROM event WHERE attempt = 1"), before);
  EXPECT_EQ(losses(store, "aaaaaaaaaaaa"), expected_losses(store.run("aaaaaaaaaaaa")->spec, 1));
}

TEST_F(WorldTest, AClockThatWasSetBackHoldsNoRunBack) {
  submit({fake_run("aaaaaaaaaaaa", 1)});
  // A back-off noted before the clock was set back by a year.
  open_store().database().execute("UPDATE run SET not_before = unixepoch() + 31536000");
  EXPECT_EQ(work(), 0);
  store::Store store = open_store();
  expect_sound(store, "aaaaaaaaaaaa");
}

TEST_F(WorldTest, AStrangerWithTheWorkersPidIsLeftAlone) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 200}})});
  start_coordinator();
  until_step("aaaaaaaaaaaa", 25);
  kill_coordinator(SIGKILL);
  const execute::ProcessRecord record = *processes("aaaaaaaaaaaa");
  ::kill(static_cast<pid_t>(record.shim.pid), SIGKILL);
  const pid_t stranger = ::fork();
  if (stranger == 0) {
    ::setpgid(0, 0);
    for (;;) ::pause();
  }
  // As if the pids had come round to someone else.
  execute::ProcessRecord reused = record;
  reused.worker.pid = reused.shim.pid = stranger;
  execute::write_process(folder("aaaaaaaaaaaa", 1), reused);
  until("the worker is gone too", [&] { return !execute::is_alive(record.worker); });
  EXPECT_EQ(work(), 0);
  EXPECT_EQ(::waitpid(stranger, nullptr, WNOHANG), 0);  // it lives
  ::kill(stranger, SIGKILL);
  ::waitpid(stranger, nullptr, 0);
  store::Store store = open_store();
  expect_sound(store, "aaaaaaaaaaaa");
}

TEST_F(WorldTest, ARunWhoseFolderVanishesIsTrainedAgain) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 150}})});
  start_coordinator();
  until_step("aaaaaaaaaaaa", 25);
  for (std::error_code code; fs::exists(folder("aaaaaaaaaaaa"));) fs::remove_all(folder("aaaaaaaaaaaa"), code);
  EXPECT_EQ(wait_coordinator(), 0) << log();
  store::Store store = open_store();
  EXPECT_EQ(to_text(store.state("aaaaaaaaaaaa").value()), "done");
  EXPECT_EQ(losses(store, "aaaaaaaaaaaa"), expected_losses(store.run("aaaaaaaaaaaa")->spec, 1));
}

TEST_F(WorldTest, ADatabaseThatAStrangerHoldsForAWhileIsWaitedFor) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 150}}), fake_run("bbbbbbbbbbbb", 2)});
  start_coordinator();
  until_step("aaaaaaaaaaaa", 25);
  {
    store::Store stranger = open_store();
    store::Transaction transaction(stranger.database());
    ::usleep(700'000);
  }
  EXPECT_EQ(wait_coordinator(), 0) << log();
  store::Store store = open_store();
  for (const std::string& id : ids) expect_sound(store, id);
}

TEST_F(WorldTest, ADatabaseThatIsRemovedIsNoticed) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"steps", 5000}})});
  start_coordinator();
  until_step("aaaaaaaaaaaa", 25);
  for (const char* name : {"bitsweep.db", "bitsweep.db-wal", "bitsweep.db-shm"}) fs::remove(root / name);
  EXPECT_NE(wait_coordinator(), 0);
  EXPECT_NE(log().find("rebuild"), std::string::npos) << log();
  EXPECT_TRUE(execute::is_alive(processes("aaaaaaaaaaaa")->worker));  // it goes on, and its files tell of it
}

TEST_F(WorldTest, AFloodOfWordsIsALog) {
  submit({fake_run("aaaaaaaaaaaa", 1, {{"act", "flood"}, {"act_step", 5}})});
  EXPECT_EQ(work(), 0);
  store::Store store = open_store();
  expect_sound(store, "aaaaaaaaaaaa");
  EXPECT_GT(fs::file_size(folder("aaaaaaaaaaaa", 1) / "worker.log"), 20'000'000u);
}

// A real kill by the kernel, in a control group of its own; only where one can be made.
TEST_F(WorldTest, AWorkerThatTakesAllMemoryIsKilledAloneAndSaysSo) {
  const fs::path group = fs::path("/sys/fs/cgroup/memory") / fmt::format("bitsweep-test-{}", ::getpid());
  std::error_code code;
  if (!fs::create_directory(group, code)) GTEST_SKIP() << "no control group can be made here";
#ifdef __SANITIZE_ADDRESS__
  constexpr int64_t kLimit_bytes = 1024 << 20;  // what watches over memory takes some itself
#else
  constexpr int64_t kLimit_bytes = 96 << 20;
#endif
  std::ofstream(group / "memory.limit_in_bytes") << kLimit_bytes;
  store::NewRun leaks = fake_run("aaaaaaaaaaaa", 1, {{"act", "leak"}, {"act_step", 5}});
  leaks.retries = 0;
  submit({leaks, fake_run("bbbbbbbbbbbb", 2)});
  start_coordinator();
  std::ofstream(group / "cgroup.procs") << coordinator << std::flush;
  EXPECT_EQ(wait_coordinator(), 1) << log();
  EXPECT_EQ(to_text(open_store().run("aaaaaaaaaaaa")->cause), "oom");
  EXPECT_EQ(open_store().state("bbbbbbbbbbbb"), RunState::done);
  for (int i = 0; i < 100 && !fs::remove(group, code); ++i) ::usleep(20'000);
}

TEST_F(WorldTest, TwoSubmissionsAtOnceAreOne) {
  std::vector<store::NewRun> runs;
  for (int i = 0; i < 60; ++i) runs.push_back(fake_run(fmt::format("{:012x}", i + 1), i));
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    children.push_back(::fork());
    if (children.back() == 0) {
      store::Store::open(root, store::StoreMode::create)
          .submit({.name = "sweep", .file = "", .source = "text", .settings = {}, .runs = runs});
      ::_exit(0);
    }
  }
  for (const pid_t child : children) {
    int status = 1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  store::Store store = open_store();
  EXPECT_EQ(store.counts().at(RunState::queued), 60);
  EXPECT_EQ(store.database().integer("SELECT version FROM sweep"), 1);
}

}  // namespace
}  // namespace bitsweep
