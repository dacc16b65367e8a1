// What a report opens with (analysis/decision.h): what to run next, what it costs, what loss to expect, whether the law
// can be trusted, which variant wins, and what would change the advice; in at most 15 lines of Markdown. Pure.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "analysis/decision.h"
#include "base/json.h"
#include "render/document.h"

namespace bitsweep::report {

// A decision a group, by what its caveats take back.
std::vector<analysis::Decision> decisions_of(const analysis::ReportInput& input, const analysis::Analysis& analysis);

// Of one set of comparable runs its sentences; of several a row a set, the largest first.
std::vector<render::Block> decision_block(const analysis::ReportInput& input, const analysis::Analysis& analysis,
                                          const std::vector<analysis::Decision>& decisions);

// One set's sentences, as a list.
std::vector<render::Text> decision_texts(const analysis::ReportInput& input, const analysis::Analysis& analysis,
                                         const analysis::Decision& decision);

// {"run": {"variant", "params", "tokens", "lr", "batch"} | null, "purpose", "cost_hours", "cost_flops", "loss",
// "interval", "why", "trust", "winners", "would_change", "group"} of the set with most finished runs; what is not known
// is null.
json::object decision_json(const analysis::ReportInput& input, const analysis::Analysis& analysis,
                           const std::vector<analysis::Decision>& decisions);

}  // namespace bitsweep::report
