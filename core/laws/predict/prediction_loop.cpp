// Predicts again while runs finish: the joint fit in the loop. The fit is a process of its own, of low priority,
// because the coordinator forks and must stay of one thread, and so that nothing a fit does can hurt it.
#include "predict/prediction_loop.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "execute/background.h"

namespace bitsweep::predict {
namespace {

constexpr double kShare = 100;         // seconds between fits, for each of a processor that the last one took …
constexpr double kLeastPause_s = 5;    // … and at least
constexpr double kLongest_s = 600;     // of one fit, before it is given up: what is busy elsewhere may hold it up
constexpr int64_t kMostRuns = 20'000;  // beyond, their specs alone are too much to read beside the work

class PredictingProgress : public coordinate::Progress {
 public:
  PredictingProgress(std::unique_ptr<coordinate::Progress> inner, std::vector<std::string> command, bool quiet)
      : inner_(std::move(inner)), command_(std::move(command)), told_(quiet) {}

  void started(const coordinate::RunProgress& run) override { inner_->started(run); }
  void adopted(const coordinate::RunProgress& run) override { inner_->adopted(run); }
  void evaluated(const coordinate::RunProgress& run, const event::Event& event) override {
    inner_->evaluated(run, event);
  }
  void message(const std::string& text) override { inner_->message(text); }
  void ended(const coordinate::RunProgress& run, const store::RunRecord& after) override {
    inner_->ended(run, after);
    stale_ = stale_ || after.state == RunState::done;
  }
  void tick(const coordinate::QueueProgress& queue) override {
    inner_->tick(queue);
    const double now = clock_.monotonic_s();
    if (fit_.running()) collect(now);
    if (fit_.running() || !stale_ || now < next_s_ || queue.queued == 0 || queue.total > kMostRuns) return;
    stale_ = false;
    since_s_ = now;
    next_s_ = now + kLeastPause_s;
    fit_.start(command_);
  }

 private:
  void collect(double now) {
    const std::optional<int> code = fit_.ended();
    if (!code) {
      if (now - since_s_ > kLongest_s) give_up();
      return;
    }
    next_s_ = now + std::max(kLeastPause_s, kShare * fit_.used_s());
    if (*code != 0 || std::exchange(told_, true)) return;
    inner_->message(
        "foretold the waiting runs from those that are done, and goes on doing so: 'bitsweep calibration' tells how "
        "they fare");
  }

  void give_up() {
    fit_.kill();  // what it has not committed was not to be
    next_s_ = clock_.monotonic_s() + kShare * kMostPredicting_s;
  }

  std::unique_ptr<coordinate::Progress> inner_;
  std::vector<std::string> command_;
  Clock& clock_ = system_clock();
  bool stale_ = false;  // a run has finished since the last fit
  bool told_;           // that it happens
  double since_s_ = 0, next_s_ = 0;
  execute::BackgroundProcess fit_;  // the one under way
};

}  // namespace

std::unique_ptr<coordinate::Progress> predicting_progress(std::unique_ptr<coordinate::Progress> inner,
                                                          std::vector<std::string> command, bool quiet) {
  return std::make_unique<PredictingProgress>(std::move(inner), std::move(command), quiet);
}

}  // namespace bitsweep::predict
