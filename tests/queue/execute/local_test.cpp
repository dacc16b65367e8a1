// The local executor with real processes: /bin/sh in the worker's place.
#include "execute/local.h"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <set>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/error.h"
#include "execute/cpu_claim.h"
#include "execute/process_identity.h"
#include "execute/records.h"

namespace bitsweep::execute {
namespace {

class LocalTest : public testing::Test {
 protected:
  LocalTest()
      : folder(fs::path(testing::TempDir()) / ("bitsweep_local" + std::to_string(::getpid())) /
               testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(folder);
    fs::create_directories(folder.parent_path());
  }
  ~LocalTest() override {
    // Nothing of a test outlives it.
    for (const int64_t pid : holders_of(folder / "lock")) ::kill(static_cast<pid_t>(pid), SIGKILL);
    std::error_code code;
    fs::remove_all(folder, code);
    fs::remove(folder.parent_path(), code);  // with the last test
  }
  static LocalExecutor::Options options() { return {.leftover_grace_s = 0.1}; }
  Launch launch(const std::string& script, int64_t attempt = 1) {
    return {.run = "run",
            .attempt = attempt,
            .run_folder = folder,
            .command = {"/bin/sh", "-c", script},
            .environment = {{"EXTRA", "yes"}},
            .spec = {{"a", 1}},
            .device = "cpu",
            .threads = 3};
  }
  Poll wait_for_end(Executor& executor) {
    for (int i = 0; i < 2000; ++i) {
      const Poll poll = executor.poll("run");
      if (poll.liveness != Liveness::running) return poll;
      executor.wait(0.02, -1);
    }
    ADD_FAILURE() << "still running after a long time";
    return {};
  }
  ProcessRecord wait_for_processes(int64_t attempt = 1) {
    for (int i = 0; i < 1000; ++i) {
      if (const auto found = read_process(folder / ("attempt-" + std::to_string(attempt)))) return *found;
      ::usleep(5000);
    }
    ADD_FAILURE() << "no process.json";
    return {};
  }
  // Until the script has said so in its log: its traps are set.
  void wait_for_word(const std::string& word) {
    for (int i = 0; i < 2000; ++i, ::usleep(5000))
      if (fs::exists(folder / "attempt-1/worker.log") && log().find(word) != std::string::npos) return;
    FAIL() << "the script never said " << word;
  }
  std::string log(int64_t attempt = 1) {
    return read_file(folder / ("attempt-" + std::to_string(attempt)) / "worker.log");
  }

  fs::path folder;
  LocalExecutor executor{options()};
};

TEST_F(LocalTest, AWorkerRunsAndItsEndIsRecorded) {
  EXPECT_EQ(executor.start(launch("echo out; echo err >&2; exit 7")), StartResult::started);
  const Poll poll = wait_for_end(executor);
  ASSERT_EQ(poll.liveness, Liveness::ended);
  EXPECT_EQ(poll.exit->exit_code, 7);
  EXPECT_GT(poll.exit->peak_rss_bytes, 0);
  EXPECT_GE(poll.exit->ended, poll.exit->started);
  EXPECT_EQ(log(), "out\nerr\n");
  EXPECT_EQ(read_file(folder / "attempt-1" / "spec.json"), "{\n  \"a\": 1\n}\n");
}

TEST_F(LocalTest, TheSlotsEnvironmentIsSetBeforeExec) {
  executor.start(
      launch("echo $OMP_NUM_THREADS $CUDA_DEVICE_ORDER [$CUDA_VISIBLE_DEVICES] $MALLOC_TRIM_THRESHOLD_ $EXTRA"));
  wait_for_end(executor);
  EXPECT_EQ(log(), "3 PCI_BUS_ID [] 17179869184 yes\n");
}

TEST_F(LocalTest, AnAttemptHasItsProcessorsForItself) {
  Launch one = launch("grep Cpus_allowed_list /proc/self/status; echo ready; sleep 60");
  one.threads = 1;
  const CpuClaim probe = claim_cpus(1);  // by whoever else is at work on this machine
  if (probe.cpus.empty()) GTEST_SKIP() << "every processor is taken";
  const int expected = probe.cpus[0];
  for (const Fd& lock : probe.locks) ::flock(lock.get(), LOCK_UN);
  executor.start(one);
  wait_for_word("ready");
  const auto intent = read_intent(folder / "attempt-1");
  ASSERT_TRUE(intent.has_value());
  if (intent->cpus != std::vector{expected}) GTEST_SKIP() << "somebody else took it meanwhile";
  EXPECT_NE(log().find("Cpus_allowed_list:\t" + std::to_string(expected) + "\n"), std::string::npos) << log();
  const std::vector<int> others = claim_cpus(1).cpus;
  EXPECT_TRUE(std::find(others.begin(), others.end(), expected) == others.end()) << "it is taken while it runs";
  executor.stop("run", StopMode::kill);
  wait_for_end(executor);
}

TEST_F(LocalTest, ASignalIsRecorded) {
  executor.start(launch("kill -SEGV $$"));
  const Poll poll = wait_for_end(executor);
  ASSERT_TRUE(poll.exit.has_value());
  EXPECT_EQ(poll.exit->signal, SIGSEGV);
  EXPECT_FALSE(poll.exit->exit_code.has_value());
}

TEST_F(LocalTest, AProgramThatCannotBeExecutedIsSaid) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "the sanitizer makes fork of vfork, and the child's word of its failure stays its own";
#endif
  Launch missing = launch("");
  missing.command = {"/nowhere/worker", "train"};
  executor.start(missing);
  const Poll poll = wait_for_end(executor);
  ASSERT_TRUE(poll.exit.has_value());
  EXPECT_NE(poll.exit->cannot_start.find("/nowhere/worker"), std::string::npos);
}

TEST_F(LocalTest, ThereIsNeverASecondOneAtOnce) {
  executor.start(launch("sleep 30"));
  LocalExecutor other(options());
  EXPECT_EQ(other.start(launch("true", 2)), StartResult::busy);
  EXPECT_FALSE(fs::exists(folder / "attempt-2" / "intent.json"));
  executor.stop("run", StopMode::kill);
  wait_for_end(executor);
  EXPECT_EQ(other.start(launch("true", 2)), StartResult::started);
  EXPECT_EQ(wait_for_end(other).exit->exit_code, 0);
}

TEST_F(LocalTest, ANumberIsNotUsedTwice) {
  executor.start(launch("true"));
  wait_for_end(executor);
  EXPECT_THROW(executor.start(launch("true")), Error);
}

TEST_F(LocalTest, AGracefulStopReachesTheWholeGroup) {
  executor.start(
      launch("(trap 'echo child; exit' TERM; echo one; while :; do sleep 0.02; done) & trap 'wait; echo parent; exit "
             "75' TERM; echo two; while :; do sleep 0.02; done"));
  wait_for_word("one");
  wait_for_word("two");
  wait_for_processes();
  executor.stop("run", StopMode::graceful);
  const Poll poll = wait_for_end(executor);
  ASSERT_TRUE(poll.exit.has_value());
  EXPECT_EQ(poll.exit->exit_code, 75);
  EXPECT_NE(log().find("child"), std::string::npos);
  EXPECT_NE(log().find("parent"), std::string::npos);
}

TEST_F(LocalTest, AStopBeforeThePidsAreKnownIsDeliveredLater) {
  executor.start(launch("sleep 30"));
  executor.stop("run", StopMode::kill);  // most likely before the shim has said who the worker is
  EXPECT_EQ(wait_for_end(executor).exit->signal, SIGKILL);
}

TEST_F(LocalTest, OneThatIgnoresTermIsKilled) {
  executor.start(launch("trap '' TERM; echo ready; while :; do sleep 0.05; done"));
  wait_for_word("ready");
  wait_for_processes();
  executor.stop("run", StopMode::graceful);
  executor.wait(0.2, -1);
  EXPECT_EQ(executor.poll("run").liveness, Liveness::running);
  executor.stop("run", StopMode::kill);
  EXPECT_EQ(wait_for_end(executor).exit->signal, SIGKILL);
}

TEST_F(LocalTest, ASuspendedOneHearsTheStop) {
  executor.start(launch("trap 'exit 75' TERM; echo ready; while :; do sleep 0.02; done"));
  wait_for_word("ready");
  const ProcessRecord processes = wait_for_processes();
  ::kill(static_cast<pid_t>(processes.worker.pid), SIGSTOP);
  executor.stop("run", StopMode::graceful);
  EXPECT_EQ(wait_for_end(executor).exit->exit_code, 75);
}

TEST_F(LocalTest, AShimThatSomeoneSuspendedStillRecordsItsWorkersEnd) {
  executor.start(launch("trap 'exit 6' TERM; echo ready; while :; do sleep 0.02; done"));
  wait_for_word("ready");
  const ProcessRecord processes = wait_for_processes();
  ::kill(static_cast<pid_t>(processes.shim.pid), SIGSTOP);
  executor.stop("run", StopMode::graceful);
  EXPECT_EQ(wait_for_end(executor).exit->exit_code, 6);
}

TEST_F(LocalTest, ASuspendedShimWhoseWorkerIsDeadIsWokenByALaterCoordinator) {
  {
    LocalExecutor first(options());
    first.start(launch("sleep 30"));
  }
  const ProcessRecord processes = wait_for_processes();
  ::kill(static_cast<pid_t>(processes.shim.pid), SIGSTOP);
  ::kill(static_cast<pid_t>(processes.worker.pid), SIGKILL);
  while (is_alive(processes.worker)) ::usleep(2000);
  ASSERT_EQ(executor.adopt("run", 1, folder).liveness, Liveness::running);
  EXPECT_EQ(wait_for_end(executor).exit->signal, SIGKILL);
}

TEST_F(LocalTest, NothingOfTheCoordinatorIsInheritedByTheShim) {
  const Fd mine = open_file(folder.parent_path(), O_RDONLY | O_DIRECTORY);
  executor.start(launch("sleep 30"));
  const ProcessRecord processes = wait_for_processes();
  std::set<std::string> open;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(processes.shim.pid) + "/fd")) {
    const std::string target = fs::read_symlink(entry.path()).string();
    if (target.find("bitsweep-cpu-") != std::string::npos) continue;  // its processors, where there are enough
    open.insert(target.starts_with("pipe:") ? "pipe" : fs::path(target).filename().string());
  }
  EXPECT_EQ(open, (std::set<std::string>{"null", "worker.log", "lock", "pipe"}));
  executor.stop("run", StopMode::kill);
  wait_for_end(executor);
}

TEST_F(LocalTest, ALaterCoordinatorAdopts) {
  {
    LocalExecutor first(options());
    first.start(launch("sleep 0.4; exit 3"));
  }
  const Poll poll = executor.adopt("run", 1, folder);
  EXPECT_EQ(poll.liveness, Liveness::running);
  const Poll end = wait_for_end(executor);
  ASSERT_EQ(end.liveness, Liveness::ended);
  EXPECT_EQ(end.exit->exit_code, 3);
}

TEST_F(LocalTest, AnAdoptedOneCanBeStopped) {
  {
    LocalExecutor first(options());
    first.start(launch("sleep 30"));
  }
  wait_for_processes();
  ASSERT_EQ(executor.adopt("run", 1, folder).liveness, Liveness::running);
  executor.stop("run", StopMode::kill);
  EXPECT_EQ(wait_for_end(executor).exit->signal, SIGKILL);
}

TEST_F(LocalTest, WhatEndedMeanwhileIsFoundByItsRecord) {
  executor.start(launch("exit 4"));
  wait_for_end(executor);
  const Poll poll = executor.adopt("run", 1, folder);
  EXPECT_EQ(poll.liveness, Liveness::ended);
  EXPECT_EQ(poll.exit->exit_code, 4);
}

TEST_F(LocalTest, WhatWasNeverStartedNeverBegan) {
  EXPECT_EQ(executor.adopt("run", 1, folder).liveness, Liveness::never_began);
  executor.start(launch("true"));
  wait_for_end(executor);
  EXPECT_EQ(executor.adopt("run", 2, folder).liveness, Liveness::never_began);
}

TEST_F(LocalTest, WhatAnEarlierBootLeftIsLostWithTheMachine) {
  executor.start(launch("true"));
  wait_for_end(executor);
  fs::remove(folder / "attempt-1/exit.json");
  EXPECT_EQ(executor.adopt("run", 1, folder).liveness, Liveness::lost);
  ProcessRecord earlier = *read_process(folder / "attempt-1");
  earlier.shim.boot_id = "another boot";
  write_process(folder / "attempt-1", earlier);
  EXPECT_EQ(executor.adopt("run", 1, folder).liveness, Liveness::lost_with_machine);
}

TEST_F(LocalTest, TheAgeOfAnAdoptedOneIsCountedByTheKernel) {
  {
    LocalExecutor first(options());
    first.start(launch("sleep 30"));
  }
  wait_for_processes();
  ::usleep(300'000);
  const Poll poll = executor.adopt("run", 1, folder);
  ASSERT_TRUE(poll.age_s);
  EXPECT_GE(*poll.age_s, 0.2);
  EXPECT_LT(*poll.age_s, 60);
  executor.stop("run", StopMode::kill);
  wait_for_end(executor);
}

TEST_F(LocalTest, AKilledShimTakesItsWorkerWithIt) {
  executor.start(launch("sleep 30"));
  const ProcessRecord processes = wait_for_processes();
  ::kill(static_cast<pid_t>(processes.shim.pid), SIGKILL);
  EXPECT_EQ(wait_for_end(executor).liveness, Liveness::lost);
  EXPECT_FALSE(is_alive(processes.worker));
}

TEST_F(LocalTest, AKilledWorkerIsRecordedByItsShim) {
  executor.start(launch("sleep 30"));
  const ProcessRecord processes = wait_for_processes();
  ::kill(static_cast<pid_t>(processes.worker.pid), SIGKILL);
  const Poll poll = wait_for_end(executor);
  EXPECT_EQ(poll.liveness, Liveness::ended);
  EXPECT_EQ(poll.exit->signal, SIGKILL);
}

TEST_F(LocalTest, WhatAWorkerLeavesBehindEndsWithIt) {
  // One in its group, one in a session of its own: both would keep the lock, and a GPU.
  executor.start(launch("sleep 30 & setsid sleep 30 & exit 0"));
  const Poll poll = wait_for_end(executor);
  ASSERT_EQ(poll.liveness, Liveness::ended);
  EXPECT_EQ(poll.exit->exit_code, 0);
  EXPECT_TRUE(holders_of(folder / "lock").empty());
}

TEST_F(LocalTest, WhatOutlivesShimAndWorkerIsFoundByTheLock) {
  executor.start(launch("setsid sleep 30 & sleep 30"));
  const ProcessRecord processes = wait_for_processes();
  while (holders_of(folder / "lock").size() < 4) ::usleep(5000);  // this shim, the shell, and two that sleep
  ::kill(static_cast<pid_t>(processes.shim.pid), SIGKILL);
  EXPECT_EQ(wait_for_end(executor).liveness, Liveness::lost);
  EXPECT_TRUE(holders_of(folder / "lock").empty());
}

TEST_F(LocalTest, NoDescriptorIsInheritedButTheLock) {
  const Fd open = open_file("/dev/null", O_RDONLY);
  executor.start(launch("ls -l /proc/$$/fd | grep -c -- '-> /'"));
  wait_for_end(executor);
  EXPECT_EQ(log(), "4\n");  // null, the log twice, the lock
}

TEST_F(LocalTest, AFolderThatCannotBeWrittenIsAnError) {
  fs::create_directories(folder);
  std::ofstream(folder / "file") << "x";
  Launch bad = launch("true");
  bad.run_folder = folder / "file" / "run";
  EXPECT_EQ(
      [&] {
        try {
          executor.start(bad);
        } catch (const Error& error) {
          return error.exit_code();
        }
        return 0;
      }(),
      3);
}

TEST_F(LocalTest, WaitWakesWhenAnAttemptEndsOrSomeoneKnocks) {
  int fds[2];
  ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
  const Fd knock(fds[0]), knocker(fds[1]);
  ASSERT_EQ(::write(knocker.get(), "x", 1), 1);
  executor.wait(600, knock.get());  // returns at once, or this test takes ten minutes
  executor.start(launch("exit 0"));
  executor.wait(600, -1);
  EXPECT_EQ(wait_for_end(executor).liveness, Liveness::ended);
}

}  // namespace
}  // namespace bitsweep::execute
