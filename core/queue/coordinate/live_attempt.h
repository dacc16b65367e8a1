// One attempt under the coordinator's eyes: its record, its event file, its measured pace, and why it was told to stop.
#pragma once

#include <optional>
#include <string>

#include "coordinate/coordinator.h"
#include "schedule/divergence.h"
#include "store/tail.h"

namespace bitsweep::coordinate {

enum class StopReason { none, interrupt, cancel, timeout, pause, hung, disk, rule, diverged };

struct LiveAttempt {
  store::RunRecord run;
  store::AttemptRecord attempt;
  store::EventTail tail;
  RunProgress progress;
  double since = 0;       // monotonic seconds at which it began, as far as is known
  double last_event = 0;  // monotonic
  bool marked_running = false;
  std::optional<execute::Poll> over = std::nullopt;  // what the executor found when it ended
  StopReason stop = StopReason::none;
  std::string stop_words = {};  // of a stop rule, or of how it diverged
  double stop_since = 0;        // monotonic
  schedule::DivergenceWatch divergence = {};
  bool killed = false;
  bool disk_was_full = false;  // at some time while it ran
  bool has_checkpoint = false;
  int64_t peak_bytes = 0;  // resident, as its evaluations tell; 0: none yet
  double longest_gap = 0;  // seconds between two of its evaluations …
  int64_t gaps = 0;        // … and how many there were
  double cpu_s = -1;       // that its worker had used when it was last looked at; -1: not looked at yet
  double cpu_moved = 0;    // monotonic: when that was last seen to grow
  double elapsed_s = 0;    // of its training, as its last evaluation told

  // Takes up what its events say. Monotonic `now`.
  void learn(const event::Event& event, double now);
  // Seconds until it is done, by its own measured rate.
  std::optional<double> eta_s(double now) const;
  // FLOP/s by its own measured rate.
  std::optional<double> flops_per_s() const;
  double flops_left() const;
  // Whether it is alive without progress: silent for `after_s`, and either its worker has used no processor for as
  // long, or the silence is twenty times the longest one between its earlier evaluations. Asks the executor only when
  // it is silent.
  bool is_hung(double now, double after_s, execute::Executor& executor);
};

LiveAttempt make_live(store::RunRecord run, store::AttemptRecord attempt, const fs::path& attempt_folder, double now);

// How an attempt that is over is judged: by what the executor found, the worker's last word, and what it was told.
struct Evidence {
  execute::Poll poll;
  store::Store::EndEvent end;  // empty when it wrote none
  StopReason stop = StopReason::none;
  std::string stop_words = {};  // of a stop rule, or of how it diverged
};
execute::Outcome judge(const Evidence& evidence);
// What is written of it. Without an exit record it ended at `unix_s`, as far as is known.
store::AttemptEnd end_of(const execute::Outcome& outcome, const std::optional<execute::ExitRecord>& exit,
                         double unix_s);

}  // namespace bitsweep::coordinate
