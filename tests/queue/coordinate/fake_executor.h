// An executor without processes: what its attempts do and when is a script, and time is a value that waiting moves on.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "event/event.h"
#include "execute/executor.h"
#include "store/store.h"

namespace bitsweep::coordinate {

// What one attempt does.
struct Script {
  double seconds = 1;        // until it ends by itself
  int64_t exit_code = 0;     // 0 done, 1 failed, 2 bad input, 3 environment, 5 diverged, 6 out of memory
  int64_t signal = 0;        // instead
  bool lost = false;         // leaves no record
  bool obeys = true;         // ends soon after it is asked to
  std::string message = {};  // of its end event
  // Evaluations: the share of its time after which they come, their step and loss.
  struct Eval {
    double part = 1;
    int64_t step = 1;
    double loss = 2;
  };
  std::vector<Eval> evals = {};
};

inline execute::Launch first_attempt(const std::string& run, const store::RootPaths& paths) {
  execute::Launch launch;
  launch.run = run;
  launch.attempt = 1;
  launch.run_folder = paths.run(run);
  return launch;
}

class FakeExecutor : public execute::Executor {
 public:
  explicit FakeExecutor(FakeClock& clock) : clock_(clock) {}

  std::function<Script(const execute::Launch&)> script = [](const execute::Launch&) { return Script{}; };
  std::function<void(const execute::Launch&)> on_start = [](const execute::Launch&) {};

  // Something that happens from outside at a monotonic time.
  void at(double time, std::function<void()> what) { happenings_.emplace(time, std::move(what)); }
  // An attempt that an earlier coordinator began so long ago.
  void leave(const execute::Launch& launch, const Script& does, double age_s) {
    Attempt& attempt = attempts_[launch.run];
    attempt = {launch, does, clock_.monotonic - age_s, clock_.monotonic - age_s + does.seconds};
    fs::create_directories(launch.folder());
  }
  int64_t started = 0, adopted = 0, most_at_once = 0;
  int64_t alive() const { return static_cast<int64_t>(attempts_.size()); }
  double last_start = 0;  // monotonic

  execute::StartResult start(const execute::Launch& launch) override {
    EXPECT_FALSE(attempts_.contains(launch.run)) << launch.run << " runs twice at once";
    on_start(launch);
    const Script does = script(launch);
    attempts_[launch.run] = {launch, does, clock_.monotonic, clock_.monotonic + does.seconds};
    fs::create_directories(launch.folder());
    ++started;
    last_start = clock_.monotonic;
    most_at_once = std::max(most_at_once, alive());
    return execute::StartResult::started;
  }

  execute::Poll adopt(const std::string& run, int64_t, const fs::path&) override {
    const auto found = attempts_.find(run);
    if (found == attempts_.end()) return {.liveness = execute::Liveness::never_began};
    ++adopted;
    return {
        .liveness = execute::Liveness::running, .worker = identity(), .age_s = clock_.monotonic - found->second.began};
  }

  execute::Poll poll(const std::string& run) override {
    Attempt& attempt = attempts_.at(run);
    const bool over = clock_.monotonic >= attempt.ends;
    write_events(attempt, over);
    if (!over) return {.liveness = execute::Liveness::running, .worker = identity()};
    const Script does = attempt.does;
    const double began = attempt.began;
    attempts_.erase(run);
    if (does.lost) return {.liveness = execute::Liveness::lost};
    execute::ExitRecord exit;
    exit.exit_code = does.exit_code;
    exit.started = began;
    exit.ended = clock_.monotonic;
    if (does.signal != 0) {
      exit.exit_code.reset();
      exit.signal = does.signal;
    }
    return {.liveness = execute::Liveness::ended, .exit = exit};
  }

  std::optional<double> cpu_seconds(const std::string&) override { return 1; }

  void stop(const std::string& run, execute::StopMode mode) override {
    const auto found = attempts_.find(run);
    if (found == attempts_.end() || clock_.monotonic >= found->second.ends) return;
    Attempt& attempt = found->second;
    if (mode == execute::StopMode::graceful && !attempt.does.obeys) return;
    attempt.ends = clock_.monotonic + (mode == execute::StopMode::graceful ? 0.05 : 0);
    attempt.stopped = true;
    attempt.does.exit_code = 75;
    attempt.does.signal = mode == execute::StopMode::kill ? 9 : 0;
  }

  // Time passes at least in such steps, as it does while a machine is busy.
  double least_wait_s = 0;
  void wait(double timeout_s, int) override {
    clock_.sleep_s(std::max(timeout_s, least_wait_s));
    while (!happenings_.empty() && happenings_.begin()->first <= clock_.monotonic) {
      const auto what = happenings_.begin()->second;
      happenings_.erase(happenings_.begin());
      what();
    }
  }

 private:
  struct Attempt {
    execute::Launch launch;
    Script does;
    double began = 0, ends = 0;  // monotonic
    size_t told = 0;             // evaluations
    bool stopped = false;
    std::unique_ptr<event::EventWriter> events = nullptr;
  };

  static execute::ProcessIdentity identity() { return {.pid = 1, .start_ticks = 1, .boot_id = "boot"}; }

  void write_events(Attempt& attempt, bool over) {
    const auto writer = [&]() -> event::EventWriter& {
      if (!attempt.events)
        attempt.events = std::make_unique<event::EventWriter>(attempt.launch.folder() / "events.jsonl",
                                                              attempt.launch.run, attempt.launch.attempt);
      return *attempt.events;
    };
    const double passed = (clock_.monotonic - attempt.began) / attempt.does.seconds;
    const std::vector<Script::Eval>& evals = attempt.does.evals;
    for (; attempt.told < evals.size() && evals[attempt.told].part <= passed; ++attempt.told)
      writer().write("eval", evals[attempt.told].step, {{"val_bpc", evals[attempt.told].loss}});
    if (!over || attempt.does.lost || attempt.does.signal != 0) return;
    const bool done = attempt.does.exit_code == 0 && !attempt.stopped;
    json::object fields{{"status", done ? "done" : "failed"}};
    if (!attempt.does.message.empty()) fields["message"] = attempt.does.message;
    writer().write("end", 1, std::move(fields));
  }

  FakeClock& clock_;
  std::map<std::string, Attempt> attempts_;
  std::multimap<double, std::function<void()>> happenings_;
};

}  // namespace bitsweep::coordinate
