// The work loop without processes: a made-up executor and a made-up clock, and the decisions that come of them.
#include "coordinate/coordinator.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fmt/format.h>

#include "coordinate/fake_executor.h"
#include "store/control.h"
#include "store/store_fixture.h"

namespace bitsweep::coordinate {
namespace {

constexpr double kDay_s = 86'400;

class Told : public Progress {
 public:
  void message(const std::string& text) override { messages.push_back(text); }
  void evaluated(const RunProgress& run, const event::Event&) override { diverging |= run.diverging; }
  void tick(const QueueProgress& queue) override { held = queue.held; }
  int64_t count(std::string_view part) const {
    return std::count_if(messages.begin(), messages.end(),
                         [&](const std::string& text) { return text.find(part) != std::string::npos; });
  }
  std::vector<std::string> messages;
  std::string held;
  bool diverging = false;
};

class CoordinatorTest : public store::StoreTest {
 protected:
  CoordinatorTest() : lock(root), executor(clock) {
    options.devices = {{"cpu", 2, 0}};
    options.disk_floor_bytes = 0;
    options.disk = Disk{.free_bytes = [this] { return free; },
                        .takes = [this](uint64_t bytes) { return bytes <= std::min(free, quota); }};
  }

  static store::NewRun run_of(const std::string& id, int64_t retries = 2, double timeout_s = 0) {
    store::NewRun run = store::new_run(id);
    run.spec = {{"data", json::object{{"tokenizer", "ascii128"}}}, {"train", json::object{{"warmup", 5}}}};
    run.axes = {{"name", id}};
    run.retries = retries;
    run.resources.timeout_s = timeout_s;
    return run;
  }
  void submit(std::vector<store::NewRun> runs, json::object settings = {}) {
    store::NewSweep sweep = new_sweep("sweep", std::move(runs));
    sweep.settings = std::move(settings);
    store.submit(sweep);
  }
  WorkResult work() { return bitsweep::coordinate::work(store, lock, executor, clock, options, told); }
  store::RunRecord run(const std::string& id) { return store.run(id).value(); }

  uint64_t free = 1 << 30, quota = 1 << 30;
  CoordinatorLock lock;
  FakeExecutor executor;
  WorkOptions options;
  Told told;
};

// --- ten thousand -------------------------------------------------------------------------------------------------

// What becomes of run number i, attempt for attempt.
enum class Fate { done, fails_once, fails, diverges, bad_input, oom, lost_once, late, hangs, cancelled, pauses };
Fate fate_of(int64_t i) {
  switch (i % 40) {
    case 1:
    case 2:
      return Fate::fails_once;
    case 3:
      return Fate::fails;
    case 4:
      return Fate::diverges;
    case 5:
      return Fate::bad_input;
    case 6:
      return Fate::oom;
    case 7:
      return Fate::lost_once;
    case 8:
      return Fate::late;
    case 9:
      return i % 400 == 9 ? Fate::hangs : Fate::done;
    case 10:
      return Fate::cancelled;
    case 11:
      return i % 400 == 11 ? Fate::pauses : Fate::done;
    default:
      return Fate::done;
  }
}

Script script_of(int64_t i, int64_t attempt) {
  Script script{.seconds = 1 + static_cast<double>(i % 7) * 0.5};
  switch (fate_of(i)) {
    case Fate::fails_once:
      script.exit_code = attempt == 1 ? 1 : 0;
      break;
    case Fate::fails:
      script.exit_code = 1;
      break;
    case Fate::diverges:
      script.exit_code = 5;
      break;
    case Fate::bad_input:
      script.exit_code = 2;
      break;
    case Fate::oom:
      script.exit_code = 6;
      break;
    case Fate::lost_once:
      script.lost = attempt == 1;
      break;
    case Fate::late:
    case Fate::hangs:
      script.seconds = 1e9;
      script.obeys = fate_of(i) == Fate::late;
      break;
    default:
      break;
  }
  return script;
}

TEST_F(CoordinatorTest, TenThousandRunsEndAsTheyMustEachNeverTwiceAtOnce) {
  constexpr int64_t kRuns = 10'000, kSlots = 256;
  std::vector<store::NewRun> runs;
  const auto id_of = [](int64_t i) { return fmt::format("{:012x}", i); };
  for (int64_t i = 0; i < kRuns; ++i) runs.push_back(run_of(id_of(i), 2, fate_of(i) == Fate::late ? 8 : 0));
  submit(std::move(runs));
  options.devices = {{"cpu", kSlots, 0}};
  options.hung_after_s = 20;
  options.grace_s = 5;
  executor.least_wait_s = 1;
  executor.script = [](const execute::Launch& launch) {
    return script_of(std::stoll(launch.run, nullptr, 16), launch.attempt);
  };
  store::Store other(root, store::StoreMode::create, clock);  // whoever types commands meanwhile
  other.database().execute("PRAGMA synchronous = OFF");
  executor.at(2, [&] {
    for (int64_t i = 0; i < kRuns; ++i)
      if (fate_of(i) == Fate::cancelled) other.cancel(id_of(i));
    for (int64_t i = 0; i < kRuns; ++i)
      if (fate_of(i) == Fate::pauses) other.set_paused(id_of(i), true);
  });
  double last_before_pause = 0;
  executor.at(20, [&] { set_all_paused(other, true); });
  executor.at(21, [&] { last_before_pause = executor.last_start; });
  executor.at(40, [&] {
    EXPECT_EQ(executor.last_start, last_before_pause) << "started while all was paused";
    EXPECT_EQ(executor.alive(), std::min<int64_t>(executor.alive(), 8)) << "only what ignores a stop is alive";
    set_all_paused(other, false);
    for (int64_t i = 0; i < kRuns; ++i)
      if (fate_of(i) == Fate::pauses) other.set_paused(id_of(i), false);
  });
  const WorkResult result = work();
  EXPECT_EQ(executor.most_at_once, kSlots);
  EXPECT_TRUE(result.waiting.empty());
  std::map<std::string, int64_t> ended, expected;
  for (int64_t i = 0; i < kRuns; ++i) {
    const store::RunRecord record = run(id_of(i));
    ++ended[fmt::format("{} {} {}", i % 40 > 11 ? 0 : static_cast<int>(fate_of(i)), to_text(record.state),
                        to_text(record.cause))];
    if (fate_of(i) == Fate::fails) {
      EXPECT_GE(record.attempts, 3);  // one more where all was paused meanwhile
    }
    EXPECT_LE(record.faults, 2);
  }
  const auto each = [&](Fate fate) {
    int64_t count = 0;
    for (int64_t i = 0; i < kRuns; ++i) count += fate_of(i) == fate;
    return count;
  };
  const auto expect = [&](Fate fate, const char* words) {
    expected[fmt::format("{} {}", static_cast<int>(fate), words)] += each(fate);
  };
  expect(Fate::done, "done ");
  expect(Fate::fails_once, "done ");
  expect(Fate::fails, "failed exit_code");
  expect(Fate::diverges, "failed diverged");
  expect(Fate::bad_input, "failed bad_input");
  expect(Fate::oom, "failed oom");
  expect(Fate::lost_once, "done ");
  expect(Fate::late, "failed timeout");
  expect(Fate::hangs, "failed hung");
  expect(Fate::pauses, "done ");
  // Of those to be cancelled some had ended before it was asked.
  const int64_t before = ended["9 done "];
  EXPECT_LT(before, each(Fate::cancelled) / 4);
  expected["9 cancelled cancelled"] = each(Fate::cancelled) - before;
  expected["9 done "] = before;
  EXPECT_EQ(ended, expected);
}

TEST_F(CoordinatorTest, AnInterruptPutsEverythingBackWithItsCheckpoint) {
  submit({run_of("aaaaaaaaaaaa"), run_of("bbbbbbbbbbbb"), run_of("cccccccccccc")});
  executor.script = [](const execute::Launch&) { return Script{.seconds = 1000}; };
  executor.at(5, [] { ::raise(SIGINT); });
  const WorkResult result = work();
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(store.counts().at(RunState::queued), 3);
  EXPECT_EQ(run("aaaaaaaaaaaa").faults, 0);
}

TEST_F(CoordinatorTest, AfterARestartWhatLivesIsAdopted) {
  submit({run_of("aaaaaaaaaaaa")});
  ASSERT_TRUE(store.claim("aaaaaaaaaaaa", "cpu", 1, 1));
  clock.monotonic = 500;
  executor.leave(first_attempt("aaaaaaaaaaaa", store.paths()), {.seconds = 60}, 50);
  EXPECT_EQ(work().done, 1);
  EXPECT_EQ(executor.adopted, 1);
  EXPECT_EQ(executor.started, 0);
  EXPECT_LT(clock.monotonic, 515);
}

// --- clocks that are set ------------------------------------------------------------------------------------------

class SetClockTest : public CoordinatorTest, public testing::WithParamInterface<double> {};
INSTANTIATE_TEST_SUITE_P(Jumps, SetClockTest, testing::Values(-2 * 3600.0, 30 * kDay_s, -365 * kDay_s));

TEST_P(SetClockTest, HoldsNoRetryBack) {
  submit({run_of("aaaaaaaaaaaa")});
  options.first_retry_s = 4;
  executor.script = [](const execute::Launch& launch) {
    return Script{.seconds = 1, .exit_code = launch.attempt == 1 ? 1 : 0};
  };
  executor.at(2, [&] { clock.unix += GetParam(); });
  store::Store other(root, store::StoreMode::create, clock);
  // Whatever is written meanwhile lets the coordinator read its queue again.
  store::DatasetRecord written;
  written.id = "d";
  for (int i = 0; i < 5; ++i) executor.at(2.2 + 0.5 * i, [&] { other.put_dataset(written); });
  EXPECT_EQ(work().done, 1);
  EXPECT_LT(clock.monotonic, 8);
  EXPECT_GT(clock.monotonic, 5);
}

TEST_P(SetClockTest, KillsNoRunByItsTimeLimit) {
  submit({run_of("aaaaaaaaaaaa", 0, 100)});
  executor.script = [](const execute::Launch&) { return Script{.seconds = 90}; };
  executor.at(20, [&] { clock.unix += GetParam(); });
  EXPECT_EQ(work().done, 1);
}

TEST_P(SetClockTest, KillsNoRunThatIsAdoptedAndStillKeepsItsTimeLimit) {
  submit({run_of("aaaaaaaaaaaa", 0, 100), run_of("bbbbbbbbbbbb", 0, 100)});
  for (const char* id : {"aaaaaaaaaaaa", "bbbbbbbbbbbb"}) {
    ASSERT_TRUE(store.claim(id, "cpu", 1, 1));
    executor.leave(first_attempt(id, store.paths()), {.seconds = id[0] == 'a' ? 95.0 : 1000.0}, 80);
  }
  clock.unix += GetParam();
  work();
  EXPECT_EQ(run("aaaaaaaaaaaa").state, RunState::done);
  EXPECT_EQ(run("bbbbbbbbbbbb").cause, ExitCause::timeout);
  EXPECT_LT(clock.monotonic, 25);
}

TEST_P(SetClockTest, HoldsNoRetryBackAcrossARestart) {
  submit({run_of("aaaaaaaaaaaa")});
  const int64_t attempt = store.claim("aaaaaaaaaaaa", "cpu", 1, 1).value();
  store.requeue("aaaaaaaaaaaa", attempt, end(RunState::failed, ExitCause::exit_code), true, clock.unix + 4);
  clock.unix += GetParam();
  EXPECT_EQ(work().done, 1);
  EXPECT_LT(clock.monotonic, 310);  // the longest pause there is
}

TEST_P(SetClockTest, TakesNoRunForHung) {
  submit({run_of("aaaaaaaaaaaa", 0)});
  options.hung_after_s = 30;
  executor.script = [](const execute::Launch&) {
    return Script{.seconds = 100, .evals = {{.part = 0.25}, {.part = 0.5}, {.part = 0.75}}};
  };
  executor.at(40, [&] { clock.unix += GetParam(); });
  EXPECT_EQ(work().done, 1);
}

// --- full disks ---------------------------------------------------------------------------------------------------

TEST_F(CoordinatorTest, AFullDiskFailsNoRunWhateverTheFloorAndTheRetries) {
  submit({run_of("aaaaaaaaaaaa", 0), run_of("bbbbbbbbbbbb", 0), run_of("cccccccccccc", 0), run_of("dddddddddddd", 0)});
  const std::string full = fmt::format("cannot write 'x': {}", std::strerror(ENOSPC));
  executor.script = [&](const execute::Launch& launch) {
    Script script{.seconds = 5};
    if (free > 100 << 20 || launch.attempt > 2) return script;
    if (launch.run[0] == 'a') script = {.seconds = 5, .exit_code = 3, .message = full};
    if (launch.run[0] == 'b') script = {.seconds = 5, .signal = SIGABRT};  // what it wanted to say found no room either
    if (launch.run[0] == 'c') script = {.seconds = 5, .lost = true};
    return script;
  };
  free = 2 << 20;
  executor.at(3, [&] { free = 0; });
  int64_t started = 0;
  executor.at(20, [&] { started = executor.started; });
  executor.at(4000, [&] {
    EXPECT_EQ(executor.started, started) << "started while the disk was full";
    EXPECT_EQ(told.held, "waiting for room on the disk");
    free = 1 << 30;
  });
  const WorkResult result = work();
  EXPECT_TRUE(result.failed.empty());
  EXPECT_EQ(store.counts().at(RunState::done), 4);
  EXPECT_EQ(run("aaaaaaaaaaaa").faults, 0);
  EXPECT_LT(clock.monotonic, 4030);
  EXPECT_EQ(told.count("is full"), 1);
  EXPECT_EQ(told.count("there is room again"), 1);
}

TEST_F(CoordinatorTest, AQuotaThatIsUsedUpIsAFullDisk) {
  submit({run_of("aaaaaaaaaaaa", 0)});
  executor.script = [&](const execute::Launch& launch) {
    if (launch.attempt > 1) return Script{};
    return Script{.seconds = 5, .exit_code = 3, .message = std::strerror(EDQUOT)};
  };
  executor.at(3, [&] { quota = 0; });
  executor.at(600, [&] { quota = 1 << 30; });
  EXPECT_EQ(work().done, 1);
  EXPECT_GT(clock.monotonic, 600);
  EXPECT_LT(clock.monotonic, 605);
}

TEST_F(CoordinatorTest, WhereTheRootHasRoomAnotherFullDiskIsTriedAgainWithGrowingPauses) {
  submit({run_of("aaaaaaaaaaaa", 0)});
  executor.script = [&](const execute::Launch& launch) {
    if (launch.attempt > 6) return Script{};
    return Script{.seconds = 1, .exit_code = 1, .message = std::strerror(ENOSPC)};
  };
  EXPECT_EQ(work().done, 1);
  EXPECT_EQ(run("aaaaaaaaaaaa").faults, 0);
  EXPECT_GT(clock.monotonic, 1 + 4 + 16 + 64 + 256);
}

TEST_F(CoordinatorTest, AfterAFullDiskNoMoreRunAtOnceThanItTakesCheckpointsOf) {
  std::vector<store::NewRun> runs;
  for (int i = 0; i < 8; ++i) {
    runs.push_back(run_of(fmt::format("{:012x}", i), 0));
    runs.back().params = 1'000'000;  // 12 MB
  }
  submit(std::move(runs));
  options.devices = {{"cpu", 4, 0}};
  free = 30'000'000;
  executor.script = [&](const execute::Launch& launch) {
    if (launch.attempt > 1 || launch.run.back() > '3') return Script{.seconds = 10};
    return Script{.seconds = 5, .exit_code = 3, .message = std::strerror(ENOSPC)};
  };
  executor.at(10, [&] { executor.most_at_once = executor.alive(); });
  EXPECT_EQ(work().done, 8);
  EXPECT_EQ(executor.most_at_once, 2);
}

// --- divergence ---------------------------------------------------------------------------------------------------

Script losing(std::vector<double> losses, double seconds = 100) {
  Script script{.seconds = seconds};
  for (size_t i = 0; i < losses.size(); ++i) {
    const double part = static_cast<double>(i + 1) / static_cast<double>(losses.size() + 1);
    script.evals.push_back({part, static_cast<int64_t>(20 * (i + 1)), losses[i]});
  }
  return script;
}

TEST_F(CoordinatorTest, ALossFarAboveThatOfKnowingNothingEndsARunAndIsToldBefore) {
  submit({run_of("aaaaaaaaaaaa"), run_of("bbbbbbbbbbbb")});
  executor.script = [](const execute::Launch& launch) {
    return launch.run[0] == 'a' ? losing({172, 300, 767, 500}) : losing({30, 8, 20, 20, 6.5});
  };
  work();
  const store::RunRecord lost = run("aaaaaaaaaaaa");
  EXPECT_EQ(lost.state, RunState::failed);
  EXPECT_EQ(lost.cause, ExitCause::diverged);
  EXPECT_EQ(lost.attempts, 1);
  EXPECT_EQ(lost.message, "at 767.0 bits per byte at step 60, far above the 7 of a model that knows nothing");
  EXPECT_EQ(told.count("aaaaaaaaaaaa llama is at 172.0 bits per byte at step 20"), 1);
  EXPECT_TRUE(told.diverging);
  EXPECT_EQ(run("bbbbbbbbbbbb").state, RunState::done);  // it came back
}

TEST_F(CoordinatorTest, ADivergedRunThatEndedBeforeItCouldBeStoppedIsJudgedTheSame) {
  submit({run_of("aaaaaaaaaaaa")});
  executor.script = [](const execute::Launch&) {
    Script script{.seconds = 0.05};
    script.evals = {{1, 100, 172}};  // its only one, of the last step
    return script;
  };
  EXPECT_EQ(work().failed.size(), 1u);
  EXPECT_EQ(run("aaaaaaaaaaaa").cause, ExitCause::diverged);
}

TEST_F(CoordinatorTest, ASweepMayLetItsRunsGoOnWhateverTheirLoss) {
  submit({run_of("aaaaaaaaaaaa")}, {{"stop", json::object{{"diverged", 0}}}});
  executor.script = [](const execute::Launch&) { return losing({172, 300, 767, 500}); };
  EXPECT_EQ(work().done, 1);
}

}  // namespace
}  // namespace bitsweep::coordinate
