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

namespace bitsweep {

struct DeviceSlots {
  std::string name;  // cpu | cuda:N
  int64_t slots = 1;
  int64_t memory_bytes = 0;  // 0: not accounted
};

// "cpu:2,cuda:0,cuda:1" -> devices; "cpu:2" is the CPU with two slots, "cuda:0" a GPU with `slots_per_device`.
// Throws Error{input} naming the bad part; a device named twice is an error.
std::vector<DeviceSlots> parse_devices(std::string_view text, int64_t slots_per_device = 1);

struct QueuedRun {
  std::string id;
  int64_t priority = 0;        // higher first
  int64_t position = 0;        // then earlier first
  std::string device = "any";  // any | cpu | cuda | cuda:N
  int64_t slots = 1;
  int64_t memory_bytes = 0;
  double not_before = 0;  // unix seconds
  bool paused = false;
  // The run it starts from and that one's state; nothing when it depends on none. A dependency that is not known
  // counts as failed.
  std::string init_from;
  std::optional<RunState> init_from_state;
  int64_t passed_over = 0;  // runs behind it that were started before it
};

struct RunningRun {
  std::string id;
  std::string device;
  int64_t slots = 1;
  int64_t memory_bytes = 0;
};

// The order in which runs are considered: priority, then submission.
bool before(const QueuedRun& a, const QueuedRun& b);

struct World {
  double now = 0;  // unix seconds
  std::span<const DeviceSlots> devices;
  std::span<const RunningRun> running;
  std::span<const QueuedRun> queued;  // REQUIRES: ordered by before(), as the store gives them
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
  std::vector<Start> starts;            // in order
  std::vector<PassedOver> passed_over;  // to be added to QueuedRun::passed_over
  std::optional<double> wake_at;        // the earliest end of a back-off that this decision met
};

// Deterministic; never more slots or bytes on a device than it has; leaves no slot free that a ready run fits into,
// unless it is kept for an earlier one whose patience has run out. Ends as soon as every slot is taken, so that a long
// queue costs nothing while all devices are busy. Among devices that fit, the least used one, then the first named.
Decision decide(const World& world);

enum class Wait {
  ready,
  paused,
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
Explanation explain(const World& world, const QueuedRun& run);

// --- after an attempt -------------------------------------------------------------------------------------------
struct AfterAttempt {
  RunState run = RunState::failed;  // queued: again
  bool fault = false;               // counts against the retries
  double delay_s = 0;               // before the next attempt
};
// `faults`: counted before this one. Faults are retried after 1, 4, 16 … ≤ 300 times `first_delay_s`; an attempt that
// was stopped, preempted or lost with the machine goes back to the queue at no charge; bad input and divergence are
// final.
AfterAttempt after_attempt(ExitCause cause, int64_t faults, int64_t retries, double first_delay_s = 1);

// Whether a sweep that has had so many failed runs starts no more (on_error: stop is 1, continue is nothing).
bool stops_starting(std::optional<int64_t> stop_after, int64_t failed);

}  // namespace bitsweep
