// One question about one run to `bitsweep-worker`: a verb that builds the run's model and answers with a JSON object.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "coordinate/coordinator.h"

namespace bitsweep::prepare {

// Runs `verb` on `spec` (a spec.json) in a slot of the first of the devices, with the data cache of the root. `extra`
// are the verb's own arguments. Throws Error with the worker's own words when it says what of the input or of the
// machine is wrong, and Error{failed} with how it ended otherwise.
json::object ask_worker(const coordinate::WorkOptions& work, const std::string& verb, const fs::path& spec,
                        const fs::path& cache, const std::vector<std::string>& extra);

// What a worker wrote before it ended, without its name.
std::string complaint_of(std::string_view err);

}  // namespace bitsweep::prepare
