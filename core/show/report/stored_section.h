// What a stored bit buys (analysis/stored.h), as a section and as JSON. Pure.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "base/json.h"
#include "render/document.h"

namespace bitsweep::report {

// A table, and a sentence for each variant at the largest size and budget that it shares with its twin. Empty when
// nothing is known.
std::vector<render::Block> stored_section(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                                          int level);

// [{"variant", "params", "tokens", "bits_per_weight", "bytes", "against", "change", "smaller"}]
json::array stored_json(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);

}  // namespace bitsweep::report
