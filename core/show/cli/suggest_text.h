// What `suggest` found, in words, tables and JSON. Pure.
#pragma once

#include <string>
#include <vector>

#include "advise/next_sweep.h"
#include "base/json.h"

namespace bitsweep::cli {

// Everything `suggest` prints. `chosen`: the batch with its seeds.
std::string suggestion_text(const advise::Suggestion& s, const analysis::LawData& law, const advise::CandidateSet& set,
                            const std::vector<advise::ChosenRun>& chosen, const advise::Costs& costs);

// Its first lines: the law, how runs scatter, what the runs do not determine.
std::string suggestion_headline(const advise::Suggestion& s, const analysis::LawData& law);
// What the document has of any law: without batch, candidates and ranking.
json::object suggestion_json(const advise::Suggestion& s, const analysis::LawData& law, const advise::Costs& costs,
                             const std::string& file);

// The document of `suggest --json`. `file`: that was written, "" for none.
json::object suggestion_json(const advise::Suggestion& s, const analysis::LawData& law, const advise::CandidateSet& set,
                             const std::vector<advise::ChosenRun>& chosen, const advise::Costs& costs,
                             const std::string& file);

}  // namespace bitsweep::cli
