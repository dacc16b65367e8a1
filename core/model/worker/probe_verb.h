// `bitsweep-worker probe`: where the attention of a checkpoint looks.
#pragma once

#include <iosfwd>

#include "worker/arguments.h"

namespace bitsweep::worker {

// Reads the run's spec, its text and the checkpoint; writes STEP_pointer_health.json into `out` and to `stream` one
// line of JSON: {"step", "file", "metrics": {name: number}}. Returns 0. Throws Error{input} for a checkpoint that is
// damaged, of another run or of another shape, and for a model without attention.
int probe_verb(const ProbeArguments& arguments, std::ostream& stream);

}  // namespace bitsweep::worker
