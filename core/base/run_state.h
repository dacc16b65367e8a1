// The words for what a run or an attempt is doing and why it ended: one vocabulary for the database, the scheduler and
// the executors. The text forms are what the database holds and what people read.
#pragma once

#include <optional>
#include <string_view>

namespace bitsweep {

// queued -> starting -> running -> done | failed | stopped | cancelled. The last four are terminal. A run goes back
// from starting or running to queued when an attempt ended by a fault that is retried, or by a stop that keeps its
// state.
enum class RunState { queued, starting, running, done, failed, stopped, cancelled };

// Why an attempt (and with it perhaps the run) ended.
enum class ExitCause {
  none,          // not ended, or ended well
  exit_code,     // the worker ended with a code that means failure
  signal,        // ended by a signal that nobody here sent
  oom,           // killed by the kernel for memory
  diverged,      // the loss became NaN or infinite
  bad_input,     // the run itself is wrong; trying again cannot help
  environment,   // something of the machine was missing or full
  cannot_start,  // the worker could not be executed
  unfinished,    // exit code 0 without the event that says it is done
  lost,          // it is gone and left no record
  timeout,       // longer than its limit
  hung,          // alive without progress
  preempted,     // stopped gracefully by someone else
  stopped,       // stopped gracefully on request
  cancelled,     // given up on request
  withdrawn,     // its sweep no longer holds it
};

std::string_view to_text(RunState state);
std::string_view to_text(ExitCause cause);  // "" for none
std::optional<RunState> run_state_from(std::string_view text);
std::optional<ExitCause> exit_cause_from(std::string_view text);

inline bool is_terminal(RunState state) { return state >= RunState::done; }
inline bool is_live(RunState state) { return state == RunState::starting || state == RunState::running; }

}  // namespace bitsweep
