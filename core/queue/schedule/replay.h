// A stop rule tried on recorded curves: what it would have saved, and what it would have killed wrongly.
#pragma once

#include "schedule/stopping.h"

namespace bitsweep::schedule {

struct ReplayResult {
  int64_t runs = 0;
  int64_t stopped = 0;
  int64_t steps = 0, steps_saved = 0;  // of all runs; not trained
  int64_t best_stopped = 0;            // 1: the run that ends best was stopped
  int64_t top_stopped = 0, top = 0;    // of the best tenth (at least one)
  double regret = 0;                   // last loss of the best run that went to its end, above that of the best of all
};

// The curves, each recorded to its end, run again in their order on `slots` slots at one pace (an evaluation of each
// that runs, in turns), the rule asked after each evaluation.
ReplayResult replay_stopping(const StopSettings& settings, std::span<const RunCurve> recorded, int64_t slots,
                             const Extrapolate& extrapolate);

}  // namespace bitsweep::schedule
