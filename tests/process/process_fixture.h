// Runs of the fake worker in a root of their own, coordinators that can be killed, and what must hold afterwards.
#pragma once

#include <csignal>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/rng.h"
#include "coordinate/attempt_files.h"
#include "event/event.h"
#include "execute/process_identity.h"
#include "execute/records.h"
#include "store/store.h"

namespace bitsweep {

inline constexpr const char* kCoordinator = BITSWEEP_BUILD_DIR "/tests/test_coordinator_program";
inline constexpr const char* kFakeWorker = BITSWEEP_BUILD_DIR "/tests/test_fake_worker";

class ProcessTest : public testing::Test {
 protected:
  ProcessTest()
      : root(fs::path(testing::TempDir()) / ("bitsweep process test " + std::to_string(::getpid())) /
             testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(root);
    fs::create_directories(root);
  }
  ~ProcessTest() override {
    if (coordinator > 0) kill_coordinator(SIGKILL);
    for (const std::string& id : ids)
      for (const int64_t pid : execute::holders_of(root / "runs" / id / "lock"))
        ::kill(static_cast<pid_t>(pid), SIGKILL);
    std::error_code code;  // what a killed process still writes may come in between
    if (!HasFailure()) fs::remove_all(root, code);
    fs::remove(root.parent_path(), code);  // with the last test
  }

  store::Store open_store() { return store::Store::open(root, store::StoreMode::create); }

  static store::NewRun fake_run(const std::string& id, int64_t seed, json::object more = {}) {
    store::NewRun run;
    run.id = id;
    run.spec = {{"steps", 40}, {"step_ms", 2}, {"eval_every", 5}, {"checkpoint_every", 10}, {"seed", seed}};
    for (const auto& entry : more) run.spec[entry.key()] = entry.value();
    run.axes = {{"name", id}};
    run.plugin = "fake";
    run.seed = seed;
    run.steps = integer_or(run.spec, "steps", 0);
    run.tokens = run.steps * 64;
    run.retries = 1000;
    return run;
  }
  void submit(std::vector<store::NewRun> runs, json::object settings = {}) {
    for (const store::NewRun& run : runs) ids.push_back(run.id);
    open_store().submit({.name = "sweep",
                         .file = "sweep.yaml",
                         .source = "text",
                         .settings = std::move(settings),
                         .runs = std::move(runs)});
  }

  void start_coordinator(int slots = 2, const std::string& grace_s = "20") {
    const std::string slots_text = std::to_string(slots), log = (root / "coordinator.log").string(),
                      where = root.string();
    coordinator = ::fork();
    if (coordinator != 0) return;
    const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    ::dup2(fd, 1);
    ::dup2(fd, 2);
    ::execl(kCoordinator, kCoordinator, "work", where.c_str(), kFakeWorker, slots_text.c_str(), grace_s.c_str(),
            nullptr);
    ::_exit(99);
  }
  // The exit code, or minus the signal.
  int wait_coordinator() {
    int status = 0;
    while (::waitpid(coordinator, &status, 0) < 0 && errno == EINTR) {
    }
    coordinator = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  void kill_coordinator(int signal) {
    ::kill(coordinator, signal);
    wait_coordinator();
  }
  int work(int slots = 2, const std::string& grace_s = "20") {
    start_coordinator(slots, grace_s);
    return wait_coordinator();
  }
  bool coordinator_ended() {
    int status = 0;
    if (::waitpid(coordinator, &status, WNOHANG) == 0) return false;
    coordinator = 0;
    return true;
  }
  std::string log() { return read_file(root / "coordinator.log"); }

  // Returns when `what` holds; fails the test after half a minute.
  template <class What>
  void until(const char* name, What&& what) {
    for (int i = 0; i < 6000; ++i, ::usleep(5000))
      if (what()) return;
    FAIL() << "never happened: " << name;
  }
  fs::path folder(const std::string& id, int64_t attempt = 0) {
    const fs::path run = root / "runs" / id;
    return attempt == 0 ? run : run / ("attempt-" + std::to_string(attempt));
  }
  // Once the run has got so far, by its own event file.
  void until_step(const std::string& id, int64_t step) {
    until("a step", [&] {
      const int64_t attempt = coordinate::highest_attempt(folder(id));
      for (int64_t k = 1; k <= attempt; ++k)
        for (const event::Event& event : event::read_events(folder(id, k) / "events.jsonl", 0).events)
          if (event.step >= step) return true;
      return false;
    });
  }
  std::optional<execute::ProcessRecord> processes(const std::string& id) {
    return execute::read_process(folder(id, std::max<int64_t>(1, coordinate::highest_attempt(folder(id)))));
  }

  // A number as it comes back from its JSON text, which some versions of Boost read with an error of the last digit.
  static double through_text(double value) {
    return parse_json(json::serialize(json::value(value)), "number").as_double();
  }

  // The losses of an undisturbed run, by step.
  static std::map<int64_t, double> expected_losses(const json::object& spec, uint64_t start) {
    std::map<int64_t, double> losses;
    const int64_t steps = integer_or(spec, "steps", 0), every = integer_or(spec, "eval_every", 5);
    uint64_t value = start;
    for (int64_t step = 1; step <= steps; ++step) {
      value = random_bits(value, 7, static_cast<uint64_t>(step));
      if (step % every == 0 || step == steps)
        losses[step] = through_text(1.0 + static_cast<double>(value >> 11) * 0x1.0p-53);
    }
    return losses;
  }
  std::map<int64_t, double> losses(store::Store& store, const std::string& id) {
    store::Statement row = store.database().prepare("SELECT step, val_bpc FROM evals WHERE run = ?");
    row.bind(id);
    std::map<int64_t, double> losses;
    while (row.step()) losses[row.integer(0)] = row.real(1);
    return losses;
  }

  // Everything that must hold of a run that is done, whatever was done to it.
  void expect_sound(store::Store& store, const std::string& id) {
    SCOPED_TRACE(id);
    const store::RunRecord run = store.run(id).value();
    EXPECT_EQ(to_text(run.state), "done");
    EXPECT_FALSE(fs::exists(folder(id) / "OVERLAP"));
    EXPECT_EQ(losses(store, id), expected_losses(run.spec, static_cast<uint64_t>(run.seed)));
    // Every line of every file is a row, once; and there are no others.
    int64_t lines = 0;
    for (int64_t k = 1; k <= coordinate::highest_attempt(folder(id)); ++k) {
      for (const event::Event& event : event::read_events(folder(id, k) / "events.jsonl", 0, 64 << 20).events) {
        ++lines;
        store::Statement row = store.database().prepare(
            "SELECT count(*) FROM events WHERE run = ? AND attempt = ? AND seq = ? AND event = ?");
        row.bind(id, k, event.seq, event.kind);
        ASSERT_TRUE(row.step());
        EXPECT_EQ(row.integer(0), 1) << "attempt " << k << " seq " << event.seq;
      }
    }
    store::Statement rows = store.database().prepare("SELECT count(*) FROM events WHERE run = ?");
    rows.bind(id);
    ASSERT_TRUE(rows.step());
    EXPECT_EQ(rows.integer(0), lines);
    EXPECT_TRUE(execute::holders_of(folder(id) / "lock").empty());
  }

  fs::path root;
  std::vector<std::string> ids;
  pid_t coordinator = 0;
};

}  // namespace bitsweep
