// The sections of a report that tell what others worked out (analysis/advice.h): configurations for targets, next runs,
// what changed since the last report. Pure.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "base/json.h"
#include "render/document.h"

namespace bitsweep {

// One table a target, a column a variant.
std::vector<Block> recommendation_section(const ReportInput& input, const GroupAnalysis& g, int level);
json::array recommendation_json(const ReportInput& input, const GroupAnalysis& g);

std::vector<Block> next_runs_section(const ReportInput& input, const GroupAnalysis& g, int level);
json::array next_runs_json(const ReportInput& input, const GroupAnalysis& g);

// What the latest earlier report of the same runs said that this one says otherwise; nothing when there was none, or
// when the points are the same.
std::vector<Block> changes_section(const ReportInput& input, const Analysis& analysis);
json::array changes_json(const ReportInput& input, const Analysis& analysis);

}  // namespace bitsweep
