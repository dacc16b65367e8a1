// One attempt under the coordinator's eyes: its record, its event file, its measured pace, and why it was told to stop.
#pragma once

#include <optional>
#include <string>

#include "cli/coordinator.h"
#include "store/tail.h"

namespace bitsweep {

enum class StopReason { none, interrupt, cancel, timeout };

struct LiveAttempt {
  RunRecord run;
  AttemptRecord attempt;
  EventTail tail;
  RunProgress progress;
  double since = 0;       // monotonic seconds at which it began, as far as is known
  double last_event = 0;  // monotonic
  bool marked_running = false;
  std::optional<Poll> over = std::nullopt;  // what the executor found when it ended
  StopReason stop = StopReason::none;
  double stop_since = 0;  // monotonic
  bool killed = false;
  bool has_checkpoint = false;

  // Takes up what its events say. Monotonic `now`.
  void learn(const Event& event, double now);
  // Seconds until it is done, by its own measured rate.
  std::optional<double> eta_s(double now) const;
  // FLOP/s by its own measured rate.
  std::optional<double> flops_per_s() const;
  double flops_left() const;
};

LiveAttempt make_live(RunRecord run, AttemptRecord attempt, const fs::path& attempt_folder, double now);

// How an attempt that is over is judged: by what the executor found, the worker's last word, and what it was told.
struct Evidence {
  Poll poll;
  Store::EndEvent end;  // empty when it wrote none
  StopReason stop = StopReason::none;
  bool had_intent = true;          // false: the coordinator ended before it could start anything
  bool machine_restarted = false;  // since it began
};
Outcome judge(const Evidence& evidence);

}  // namespace bitsweep
