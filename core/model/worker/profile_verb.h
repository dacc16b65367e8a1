// `bitsweep-worker profile`: where the time of a run's steps goes.
#pragma once

#include <iosfwd>

#include "worker/arguments.h"

namespace bitsweep::worker {

// Trains a fresh model of the spec for some steps without evaluations, the first of them to warm up, and writes one
// line of JSON to `stream`:
//   {"steps", "path", "engine", "engine_because", "instructions", "step_s", "peak_tensor_bytes",
//    "blocks": [{"name", "forward_s", "backward_s", "products_s", "integers_s"}]}
// Times are of a step, in the middle of the run's schedules; blocks by their share, largest first. products_s (of
// floats) and integers_s are parts of a block's time, the rest is other work on floats. The bytes are of CPU tensors
// and of the engine. engine and engine_because are those of the start event (event/README.md). Returns 0. Throws Error
// as training does.
int profile_verb(const ProfileArguments& arguments, std::ostream& stream);

}  // namespace bitsweep::worker
