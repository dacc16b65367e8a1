// Workers that wait for their run: it is theirs when it comes, and nobody's loss when they are gone.
#include <csignal>
#include <fstream>

#include <sys/file.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "execute/local.h"
#include "execute/process_identity.h"
#include "execute/records.h"

namespace bitsweep::execute {
namespace {

class WarmTest : public testing::Test {
 protected:
  WarmTest()
      : folder(fs::path(testing::TempDir()) / ("bitsweep_warm" + std::to_string(::getpid())) /
               testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(folder);
    fs::create_directories(folder.parent_path());
  }
  ~WarmTest() override {
    for (const int64_t pid : holders_of(folder / "lock")) ::kill(static_cast<pid_t>(pid), SIGKILL);
    std::error_code code;
    fs::remove_all(folder, code);
    fs::remove(folder.parent_path(), code);  // with the last test
  }
  Launch launch(const std::string& act, int64_t attempt = 1) {
    return {.run = "run",
            .attempt = attempt,
            .run_folder = folder,
            .command = {WARM_PROGRAM, act},
            .environment = {},
            .spec = {{"a", 1}},
            .device = "cpu",
            .threads = 1};
  }
  Poll wait_for_end() {
    for (int i = 0; i < 2000; ++i) {
      const Poll poll = executor.poll("run");
      if (poll.liveness != Liveness::running) return poll;
      executor.wait(0.02, -1);
    }
    ADD_FAILURE() << "still running after a long time";
    return {};
  }
  std::string log(int64_t attempt = 1) {
    return read_file(folder / ("attempt-" + std::to_string(attempt)) / "worker.log");
  }
  // Pids of this test's shims and of the workers under them, found as people would.
  static std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> pids;
    std::ifstream list("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children");
    for (pid_t pid = 0; list >> pid;) pids.push_back(pid);
    return pids;
  }
  struct Waiting {
    pid_t shim = 0, worker = 0;
  };
  static std::vector<Waiting> all_waiting() {
    std::vector<Waiting> found;
    for (const pid_t shim : children_of(::getpid()))
      for (const pid_t worker : children_of(shim)) found.push_back({shim, worker});
    return found;
  }
  static Waiting waiting() {
    for (int i = 0; i < 1000; ++i, ::usleep(2000))
      if (const auto found = all_waiting(); !found.empty()) return found[0];
    ADD_FAILURE() << "no worker waits";
    return {};
  }

  const std::vector<WarmSlot> one = {{WARM_PROGRAM, "cpu", 1}};
  fs::path folder;
  LocalExecutor executor{LocalExecutor::Options{.leftover_grace_s = 0.1}};
};

TEST_F(WarmTest, ARunIsGivenToTheOneThatWaits) {
  executor.keep_warm(one);
  const pid_t worker = waiting().worker;
  executor.keep_warm(one);  // it is there already
  EXPECT_EQ(all_waiting().size(), 1u);
  EXPECT_EQ(executor.start(launch("fail:7")), StartResult::started);
  const Poll poll = wait_for_end();
  ASSERT_EQ(poll.liveness, Liveness::ended);
  EXPECT_EQ(poll.exit->exit_code, 7);
  EXPECT_TRUE(log().starts_with("warm pid " + std::to_string(worker) + " ")) << log();
  EXPECT_EQ(read_process(folder / "attempt-1")->worker.pid, worker);
  const auto cpus = read_intent(folder / "attempt-1")->cpus;
  if (!cpus.empty()) {
    EXPECT_NE(log().find("cpus 1\n"), std::string::npos) << log();
  }
}

TEST_F(WarmTest, ItHoldsTheLockAndHearsTheStop) {
  executor.keep_warm(one);
  waiting();
  executor.start(launch("hang"));
  for (int i = 0; i < 1000 && !read_process(folder / "attempt-1"); ++i) ::usleep(2000);
  const Fd lock = open_file(folder / "lock", O_RDWR);
  EXPECT_NE(::flock(lock.get(), LOCK_EX | LOCK_NB), 0);
  LocalExecutor later;
  EXPECT_EQ(later.adopt("run", 1, folder).liveness, Liveness::running);
  executor.stop("run", StopMode::kill);
  EXPECT_EQ(wait_for_end().exit->signal, SIGKILL);
  EXPECT_EQ(::flock(lock.get(), LOCK_EX | LOCK_NB), 0);
}

TEST_F(WarmTest, AWorkerThatDiedWaitingIsReplaced) {
  executor.keep_warm(one);
  ::kill(waiting().worker, SIGKILL);
  ::usleep(20'000);
  executor.start(launch("go"));
  EXPECT_EQ(wait_for_end().exit->exit_code, 0);
  EXPECT_TRUE(log().starts_with("cold")) << log();
}

TEST_F(WarmTest, AShimThatDiedWaitingIsReplaced) {
  executor.keep_warm(one);
  ::kill(waiting().shim, SIGKILL);
  ::usleep(20'000);
  executor.start(launch("go"));
  EXPECT_EQ(wait_for_end().exit->exit_code, 0);
  EXPECT_TRUE(log().starts_with("cold")) << log();
}

TEST_F(WarmTest, OneThatCannotWaitIsStartedAnew) {
  ::setenv("WARM_FAILS", "1", 1);
  executor.keep_warm(one);
  executor.start(launch("go"));
  EXPECT_EQ(wait_for_end().exit->exit_code, 0);
  EXPECT_TRUE(log().starts_with("cold")) << log();
  ::unsetenv("WARM_FAILS");
}

TEST_F(WarmTest, AProgramThatIsNotThereIsSaid) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "the sanitizer makes fork of vfork, and the child's word of its failure stays its own";
#endif
  executor.keep_warm({{"/nowhere/worker", "cpu", 1}});
  Launch missing = launch("go");
  missing.command[0] = "/nowhere/worker";
  executor.start(missing);
  EXPECT_NE(wait_for_end().exit->cannot_start.find("/nowhere/worker"), std::string::npos);
}

TEST_F(WarmTest, AnotherSlotsRunIsNotItsOwn) {
  executor.keep_warm(one);
  waiting();
  Launch other = launch("go");
  other.environment = {{"EXTRA", "yes"}};
  executor.start(other);
  EXPECT_EQ(wait_for_end().exit->exit_code, 0);
  EXPECT_TRUE(log().starts_with("cold")) << log();
}

TEST_F(WarmTest, TheyGoWhenTheyAreNotWantedAndWithTheirCoordinator) {
  executor.keep_warm(one);
  const auto worker = identity_of(waiting().worker);
  executor.keep_warm({});
  for (int i = 0; i < 1000 && is_alive(*worker); ++i) ::usleep(2000);
  EXPECT_FALSE(is_alive(*worker));
  std::optional<ProcessIdentity> second;
  {
    LocalExecutor other;
    other.keep_warm(one);
    second = identity_of(waiting().worker);
    ASSERT_TRUE(second.has_value());
  }
  for (int i = 0; i < 1000 && is_alive(*second); ++i) ::usleep(2000);
  EXPECT_FALSE(is_alive(*second));
}

}  // namespace
}  // namespace bitsweep::execute
