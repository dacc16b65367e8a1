// A run's events in the order of its steps, decided once: whatever reads them later finds one value a step, and one
// last one. Pure.
#pragma once

#include "imports/foreign_log.h"
#include "imports/log_tally.h"

namespace bitsweep::imports {

// Where a step falls back, the run was taken up again from there: what it had done beyond was given up, and is left out
// with a word. Logs that are written newest first, or in no order, are put in order instead.
void put_in_order(ForeignRun& run, LogTally& tally);

// Evaluations of one step with several losses: a mistake where a column tells them apart (split: train, val), for one
// of them is not the run's; else a word that the later one counts.
void check_repeated_steps(const ForeignRun& run, LogTally& tally);

}  // namespace bitsweep::imports
