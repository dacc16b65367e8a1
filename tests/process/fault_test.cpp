// Random kill -9 and SIGSTOP of coordinator, shim, worker and group at random instants. After each trial: every run is
// done with the losses of an undisturbed one, bit for bit, every line of every file is one row, and never were two
// workers of a run alive at once. tests/process/faults runs the long form and prints the tally.
#include <cstdlib>

#include <fmt/format.h>

#include "process_fixture.h"
#include "store/rebuild.h"

namespace bitsweep {
namespace {

struct Tally {
  std::map<std::string, int64_t> faults;
  int64_t trials = 0, adoptions = 0, attempts = 0, resumptions = 0, events = 0, lost = 0, doubled = 0, overlaps = 0;
  int64_t losses_unequal = 0, unfinished = 0, rows_not_rebuilt = 0;

  std::string text() const {
    int64_t sum = 0;
    std::string kinds;
    for (const auto& [kind, count] : faults) sum += count, kinds += fmt::format("  {:<24}{:>7}\n", kind, count);
    return fmt::format(
        "{} trials, {} faults\n{}adoptions {}, attempts {}, resumptions from a checkpoint {}, events {}\n"
        "events lost {}, doubled {}; overlaps {}; losses unequal {}; runs unfinished {}; rows that no folder tells "
        "{}\n",
        trials, sum, kinds, adoptions, attempts, resumptions, events, lost, doubled, overlaps, losses_unequal,
        unfinished, rows_not_rebuilt);
  }
};

// A number from the environment: how long the long form is.
int64_t from_environment(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::max<int64_t>(1, std::atoll(text));
}

class FaultTest : public ProcessTest {
 protected:
  void begin_trial(int64_t trial) {
    base_ = base_.empty() ? root : base_;
    root = base_ / fmt::format("trial-{}", trial);
    fs::create_directories(root);
    ids.clear();
  }

  // One fault; its kind, or "" when there was nothing to hit.
  std::string strike(uint64_t seed, uint64_t n) {
    const auto pick = [&](uint64_t stream, uint64_t below) { return random_below(seed, stream, n, below); };
    const uint64_t which = pick(3, 16);
    if (which < 5) {
      kill_coordinator(SIGKILL);
      if (which < 3) ::usleep(30'000);  // for a while nobody watches
      start_coordinator();
      return "KILL coordinator";
    }
    if (which == 5) {
      ::kill(coordinator, SIGSTOP);
      ::usleep(static_cast<useconds_t>(pick(4, 60'000)));
      ::kill(coordinator, SIGCONT);
      return "STOP, CONT coordinator";
    }
    const auto record = processes(ids[pick(2, ids.size())]);
    if (!record) return "";
    const execute::ProcessIdentity& shim = record->shim;
    const execute::ProcessIdentity& worker = record->worker;
    if (which < 8) return hit(worker, SIGKILL, false) ? "KILL worker" : "";
    if (which < 10) return hit(shim, SIGKILL, false) ? "KILL shim" : "";
    if (which == 10) return hit(worker, SIGKILL, true) ? "KILL worker's group" : "";
    if (which == 11) return hit(shim, SIGKILL, true) ? "KILL shim's group" : "";
    if (which == 12) {
      if (!hit(shim, SIGSTOP, false)) return "";
      suspended_.push_back(shim);  // for ever, as far as we are concerned
      return "STOP shim";
    }
    if (!hit(worker, SIGSTOP, which == 13)) return "";
    if (which == 14) return "STOP worker";  // for ever: it hangs
    ::usleep(static_cast<useconds_t>(pick(5, 60'000)));
    hit(worker, SIGCONT, which == 13);
    return which == 13 ? "STOP, CONT worker's group" : "STOP, CONT worker";
  }

  bool ends_in_time() {
    for (int i = 0; i < 60'000; ++i, ::usleep(1000)) {
      int status = 0;
      if (::waitpid(coordinator, &status, WNOHANG) == 0) continue;
      coordinator = 0;
      return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    return false;
  }

  static bool hit(const execute::ProcessIdentity& process, int signal, bool group) {
    if (!execute::is_alive(process)) return false;
    return ::kill(static_cast<pid_t>(group ? -process.pid : process.pid), signal) == 0;
  }

  int64_t rows(store::Store& store, const std::string& id, const char* more = "") {
    store::Statement row = store.database().prepare(fmt::format("SELECT count(*) FROM events WHERE run = ? {}", more));
    row.bind(id);
    return row.step() ? row.integer(0) : -1;
  }

  void judge_run(store::Store& store, const std::string& id, Tally& tally) {
    const store::RunRecord run = store.run(id).value();
    if (run.state != RunState::done) ++tally.unfinished;
    if (fs::exists(folder(id) / "OVERLAP")) ++tally.overlaps;
    if (losses(store, id) != expected_losses(run.spec, static_cast<uint64_t>(run.seed))) ++tally.losses_unequal;
    int64_t found = 0;
    store::Statement row = store.database().prepare(
        "SELECT count(*) FROM events WHERE run = ? AND attempt = ? AND seq = ? AND event = ? AND step = ?");
    for (int64_t k = 1; k <= coordinate::highest_attempt(folder(id)); ++k)
      for (const event::Event& event : event::read_events(folder(id, k) / "events.jsonl", 0, 64 << 20).events) {
        row.bind(id, k, event.seq, event.kind, event.step);
        const int64_t count = row.step() ? row.integer(0) : 0;
        row.reset();
        if (count == 1)
          ++found;
        else
          ++tally.lost;
      }
    const int64_t all = rows(store, id);
    tally.events += all;
    tally.doubled += all - found;
    tally.attempts += run.attempts;
    tally.resumptions += rows(store, id, "AND event = 'resume'");
  }

  // The run folders tell the whole database.
  void judge_folders(store::Store& store, Tally& tally) {
    store::Rebuild rebuild(root, root / "scratch");
    rebuild.replay();
    rebuild.read_events();
    tally.rows_not_rebuilt += static_cast<int64_t>(rebuild.result().problems.size());
    for (const store::TableDifference& table : compare_databases(store.database(), rebuild.store().database())) {
      tally.rows_not_rebuilt += table.differences;
      for (const std::string& example : table.examples) ADD_FAILURE() << example;
    }
  }

  void trial(uint64_t seed, uint64_t faults, Tally& tally) {
    submit({fake_run("aaaaaaaaaaaa", 11, {{"steps", 300}}), fake_run("bbbbbbbbbbbb", 12, {{"steps", 300}}),
            fake_run("cccccccccccc", 13, {{"steps", 100}})});
    start_coordinator();
    for (uint64_t n = 0; n < faults; ++n) {
      ::usleep(static_cast<useconds_t>(15'000 + random_below(seed, 1, n, 80'000)));
      if (const std::string kind = strike(seed, n); !kind.empty()) ++tally.faults[kind];
    }
    EXPECT_TRUE(ends_in_time()) << log();
    // Those that were hit between their last word and their end.
    for (const execute::ProcessIdentity& shim : suspended_) hit(shim, SIGKILL, false);
    suspended_.clear();
    const std::string text = log();
    for (size_t at = text.find("adopt   "); at != std::string::npos; at = text.find("adopt   ", at + 1))
      ++tally.adoptions;
    store::Store store = open_store();
    for (const std::string& id : ids) judge_run(store, id, tally);
    judge_folders(store, tally);
    EXPECT_EQ(store.database().integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    ++tally.trials;
  }

 private:
  fs::path base_;
  std::vector<execute::ProcessIdentity> suspended_;
};

TEST_F(FaultTest, NothingIsLostDoubledOrRunTwice) {
  const int64_t trials = from_environment("BITSWEEP_FAULT_TRIALS", 2);
  const auto faults = static_cast<uint64_t>(from_environment("BITSWEEP_FAULT_KILLS", 14));
  Tally tally;
  for (int64_t t = 1; t <= trials && !HasFailure(); ++t) {
    begin_trial(t);
    trial(static_cast<uint64_t>(t), faults, tally);
    EXPECT_EQ(
        tally.lost + tally.doubled + tally.overlaps + tally.losses_unequal + tally.unfinished + tally.rows_not_rebuilt,
        0)
        << log();
    std::error_code code;
    if (!HasFailure()) fs::remove_all(root, code);
    if (trials > 2 && t % 10 == 0) fmt::print("{} of {}\n", t, trials), std::fflush(stdout);
  }
  if (trials > 2) fmt::print("{}", tally.text());
}

// The queue goes on around those that fail, each is tried as often as it may be, and none is forgotten.
TEST_F(FaultTest, ManyRunsOfWhichAThirdFail) {
  const int64_t count = from_environment("BITSWEEP_FAULT_RUNS", 60);
  std::vector<store::NewRun> runs;
  for (int64_t i = 0; i < count; ++i) {
    json::object spec = {{"steps", 1}, {"step_ms", 0}};
    if (i % 3 == 0) spec["act"] = "exit:1";
    store::NewRun run = fake_run(fmt::format("{:012x}", i + 1), i, spec);
    run.retries = i % 2;
    runs.push_back(run);
  }
  submit(runs);
  EXPECT_EQ(work(4), 1);
  store::Store store = open_store();
  const int64_t failing = (count + 2) / 3;
  EXPECT_EQ(store.counts().at(RunState::failed), failing);
  EXPECT_EQ(store.counts().at(RunState::done), count - failing);
  EXPECT_EQ(store.database().integer("SELECT count(*) FROM run WHERE state = 'failed' AND attempts <> retries + 1"), 0);
  EXPECT_EQ(store.database().integer("SELECT count(*) FROM run WHERE state = 'done' AND attempts <> 1"), 0);
}

}  // namespace
}  // namespace bitsweep
