// A discrete-event simulation of a queue on devices, by the very decisions the coordinator takes: what a machine would
// do over a year, in seconds.
#pragma once

#include "schedule/schedule.h"

namespace bitsweep::schedule {

struct SimulatedRun {
  QueuedRun run;         // predicted_s, slots, memory_bytes, priority, sweep, init_from …; position is given by order
  double submitted = 0;  // seconds
  double seconds = 0;    // it takes, whatever was predicted
  int64_t faults = 0;    // attempts that fail first, each halfway
};

struct SimulationOptions {
  int64_t patience = 16;
  int64_t retries = 3;
  double back_off_s = 60;
};

struct Simulation {
  int64_t runs = 0, started = 0, done = 0, failed = 0, never_started = 0;
  double makespan_s = 0;                       // to the end of the last run
  double lower_bound_s = 0;                    // no schedule can be shorter
  double utilisation = 0;                      // slot-seconds used of those there were, over the makespan
  double waiting_utilisation = 0;              // the same over the time at which some run waited to be started
  double mean_wait_s = 0, longest_wait_s = 0;  // from submission to the first start
  int64_t decisions = 0;
  int64_t overcommitted = 0;  // instants at which a device held more slots or asked-for bytes than it has; must be 0
};

// Deterministic. The lower bound is the largest, over all times of submission, of that time and the slot-seconds
// submitted from then on over all slots; and, over all runs, of the time of submission and the run's own length.
Simulation simulate(std::span<const DeviceSlots> devices, std::span<const SimulatedRun> runs,
                    const SimulationOptions& options = {});

}  // namespace bitsweep::schedule
