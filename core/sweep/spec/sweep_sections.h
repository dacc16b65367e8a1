// A run's settings as a sweep file has them: what to_json(RunSpec) says, in the forms that load_sweep() reads again,
// with nothing left to be chosen anew. The way back from runs to sweeps.
#pragma once

#include "base/json.h"
#include "spec/run_spec.h"

namespace bitsweep::spec {

// "data", "train" (without how long), "eval" and "checkpoint", each a map of keys. What only the plan knows (hashes,
// sizes of vocabularies) is no key and not among them. REQUIRES a run of ours: with a corpus or examples.
json::object sweep_sections(const RunSpec& run);

}  // namespace bitsweep::spec
