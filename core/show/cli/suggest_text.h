// What `suggest` found, in words, tables and JSON. Pure.
#pragma once

#include <string>
#include <vector>

#include "advise/next_sweep.h"
#include "base/json.h"

namespace bitsweep {

// Everything `suggest` prints. `chosen`: the batch with its seeds.
std::string suggestion_text(const Suggestion& s, const LawData& law, const CandidateSet& set,
                            const std::vector<ChosenRun>& chosen, const Costs& costs);

// The document of `suggest --json`. `file`: that was written, "" for none.
json::object suggestion_json(const Suggestion& s, const LawData& law, const CandidateSet& set,
                             const std::vector<ChosenRun>& chosen, const Costs& costs, const std::string& file);

}  // namespace bitsweep
