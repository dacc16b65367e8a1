// Fits again while runs finish: the joint fit in the loop.
#include <algorithm>
#include <future>

#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/foresight.h"

namespace bitsweep {
namespace {

constexpr double kShare = 100;         // seconds between fits, for each that the last one took …
constexpr double kLeastPause_s = 5;    // … and at least
constexpr int64_t kMostRuns = 20'000;  // beyond, their specs alone are too much to read beside the work

class Foretelling : public Progress {
 public:
  Foretelling(std::unique_ptr<Progress> inner, Store& store, std::vector<std::string> sweeps, std::string maker)
      : inner_(std::move(inner)), store_(store), sweeps_(std::move(sweeps)), maker_(std::move(maker)) {}

  void started(const RunProgress& run) override { inner_->started(run); }
  void adopted(const RunProgress& run) override { inner_->adopted(run); }
  void evaluated(const RunProgress& run, const Event& event) override { inner_->evaluated(run, event); }
  void message(const std::string& text) override { inner_->message(text); }
  void ended(const RunProgress& run, const RunRecord& after) override {
    inner_->ended(run, after);
    stale_ = stale_ || after.state == RunState::done;
  }
  void tick(const QueueProgress& queue) override {
    inner_->tick(queue);
    if (fit_.valid()) collect();
    const bool due = clock_.monotonic_s() >= next_s_;
    if (stale_ && due && !fit_.valid() && queue.queued > 0 && queue.total <= kMostRuns) begin();
  }

 private:
  struct Done {
    Foresight foresight;
    double seconds = 0;
  };

  void begin() {
    stale_ = false;
    fit_ = std::async(std::launch::async, [root = store_.paths().root, sweeps = sweeps_, maker = maker_] {
      ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);  // of this thread alone
      const double since = system_clock().monotonic_s();
      Done done;
      done.foresight = foresee(Query(root), sweeps, maker);
      done.seconds = system_clock().monotonic_s() - since;
      return done;
    });
  }

  // What a thread found, into the store from the thread that owns it. Whatever went wrong costs predictions alone.
  void collect() {
    if (fit_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
    try {
      const Done done = fit_.get();
      next_s_ = clock_.monotonic_s() + std::max(kLeastPause_s, kShare * done.seconds);
      const StoredPredictions kept = keep(store_, done.foresight);
      if (kept.stored > 0 && !told_) {
        told_ = true;
        inner_->message(
            fmt::format("foretold {} waiting run{} from those that are done, and goes on doing so: "
                        "'bitsweep calibration' tells how they fare",
                        kept.stored, kept.stored == 1 ? "" : "s"));
      }
    } catch (const std::exception& error) {
      next_s_ = clock_.monotonic_s() + kShare;
      if (!std::exchange(told_trouble_, true))
        inner_->message(fmt::format("runs go on, but nothing is foretold of them: {}", error.what()));
    }
  }

  std::unique_ptr<Progress> inner_;
  Store& store_;
  std::vector<std::string> sweeps_;
  std::string maker_;
  Clock& clock_ = system_clock();
  bool stale_ = false;  // a run has finished since the last fit
  bool told_ = false, told_trouble_ = false;
  double next_s_ = 0;
  std::future<Done> fit_;
};

}  // namespace

std::unique_ptr<Progress> foretelling_progress(std::unique_ptr<Progress> inner, Store& store,
                                               std::vector<std::string> sweeps, std::string maker) {
  return std::make_unique<Foretelling>(std::move(inner), store, std::move(sweeps), std::move(maker));
}

}  // namespace bitsweep
