// `bitsweep-worker import`: the weights of a checkpoint that another program saved, as a checkpoint of ours.
#pragma once

#include <iosfwd>

#include "worker/arguments.h"

namespace bitsweep::worker {

// Reads the run's spec, builds its model, fills it from the folder and writes the checkpoint, at step 0. To `stream`
// goes one line of JSON: {"file", "bytes"}. Returns 0. Throws Error{input} for a folder that cannot be said (weights/
// released_model.h) or does not fit the spec; nothing is written then.
int import_verb(const ImportArguments& arguments, std::ostream& stream);

}  // namespace bitsweep::worker
