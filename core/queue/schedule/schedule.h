// Who runs next, where, and what follows a fault. Pure: values in, values out; time is a value too. The coordinator and
// any simulator call the same functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/run_state.h"
#include "schedule/run_queue.h"

namespace bitsweep::schedule {

struct DeviceSlots {
  std::string name;  // cpu | cuda:N
  int64_t slots = 1;
  int64_t memory_bytes = 0;  // 0: not accounted
};

// "cpu:2,cuda:0,cuda:1" -> devices; "cpu:2" is the CPU with two slots, "cuda:0" a GPU with `slots_per_device`.
// Throws Error{input} naming the bad part; a device named twice is an error.
std::vector<DeviceSlots> parse_devices(std::string_view text, int64_t slots_per_device = 1);

struct RunningRun {
  std::string id;
  std::string device;
  int64_t slots = 1;
  int64_t memory_bytes = 0;  // reserved_bytes()
};

// What a running run is to be reckoned with on its device: as predicted until it has shown its peak after an
// evaluation, from then on that peak and a twentieth above it. 0 where neither is known.
int64_t reserved_bytes(int64_t predicted_bytes, int64_t observed_peak_bytes);

struct ScheduleInput {
  double now = 0;  // seconds of the clock that the runs' not_before is of
  std::span<const DeviceSlots> devices = {};
  std::span<const RunningRun> running = {};
  const RunQueue* queue = nullptr;  // advanced to `now`; nothing: empty
  // A run that does not fit is passed over by smaller ones behind it, this often; then its device is kept for it.
  int64_t patience = 16;
};

struct Start {
  std::string run;
  std::string device;
};

struct PassedOver {
  std::string run;
  int64_t times = 0;  // starts of runs behind it, in this decision
};

struct Decision {
  std::vector<Start> starts;            // in order: RunQueue::start() takes them off in this order
  std::vector<PassedOver> passed_over;  // for RunQueue::pass_over()
  std::optional<double> wake_at;        // the earliest end of a back-off, while slots are free
};

// Deterministic; never more slots or bytes on a device than it has; leaves no slot free that a ready run fits into,
// unless it is kept for an earlier one whose patience has run out. The order is RunQueue's. Costs what is started and
// the kinds of demand there are, not the length of the queue; nothing while every slot is taken. Among devices that
// fit, the least used one, then the first named.
Decision decide(const ScheduleInput& input);

enum class Wait {
  ready,
  paused,
  held,
  back_off,
  dependency,
  dependency_failed,
  no_such_device,
  too_large,
  no_free_slot,
  no_free_memory
};
// Why the queued run `id` is not started now, and a sentence for people.
struct Explanation {
  Wait wait = Wait::ready;
  std::string text;
};
Explanation explain(const ScheduleInput& input, const QueuedRun& run);

// --- after an attempt -------------------------------------------------------------------------------------------
struct AfterAttempt {
  RunState run = RunState::failed;  // queued: again
  bool fault = false;               // counts against the retries
  double delay_s = 0;               // before the next attempt
};
// `faults`: counted before this one. Faults are retried after 1, 4, 16 … ≤ 300 times `first_delay_s`; an attempt that
// was stopped, preempted or lost with the machine goes back to the queue at no charge; bad input and divergence are
// final. Out of memory is followed by what the sweep allows (after_memory_ran_out) and nothing else.
AfterAttempt after_attempt(ExitCause cause, int64_t faults, int64_t retries, double first_delay_s = 1);

// What a sweep allows after an attempt that ran out of memory, once a run: the same again would end the same way.
enum class OnOom {
  fail,          // final
  alone,         // once more with a device of its own
  smaller_batch  // once more, each step's batch in twice as many parts: the same training in less memory
};
std::optional<OnOom> on_oom_from(std::string_view text);
// How it is tried again; nothing when it is not. `times`: attempts of the run that ran out of memory, this one counted.
// `accumulate` divides `batch`.
struct OomRetry {
  bool alone = false;
  int64_t accumulate = 1;
};
std::optional<OomRetry> after_memory_ran_out(OnOom policy, int64_t times, int64_t batch, int64_t accumulate);

// Whether an attempt that ended so counts against the retries of its run.
bool is_fault(ExitCause cause);

// Of all back-offs the longest.
double longest_delay_s(double first_delay_s = 1);

// Whether a sweep that has had so many failed runs starts no more (on_error: stop is 1, continue is nothing).
bool stops_starting(std::optional<int64_t> stop_after, int64_t failed);

}  // namespace bitsweep::schedule
