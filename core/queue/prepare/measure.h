// Short training runs that say how fast this machine is with the shapes of a plan; their speeds go into the database.
#pragma once

#include <span>

#include "base/notes.h"
#include "coordinate/coordinator.h"
#include "plan/plan.h"
#include "plan/speed.h"
#include "store/store.h"

namespace bitsweep::prepare {

// Which kinds of run: all, or of each model the one whose largest run costs most; the others' times are scaled from it.
enum class MeasureScope { every, largest };

// Measures every kind of run of the plans whose speed the database does not know, a few seconds each, on the first of
// the devices with all its slots at work, as the queue would have them. Says what it does. Throws
// Error{failed} with the worker's words when a run does not start.
void measure_speeds(const std::vector<plan::Plan>& plans, const fs::path& root, const coordinate::WorkOptions& options,
                    Notes& notes, MeasureScope scope = MeasureScope::every);

// The speeds that the database knows of this kind of device ("cpu", "cuda").
std::vector<plan::MeasuredSpeed> known_speeds(store::Store& store, std::string_view kind);

}  // namespace bitsweep::prepare
