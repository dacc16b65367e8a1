// The sections of a report that tell what others worked out (analysis/advice.h): configurations for targets, next runs,
// what changed since the last report. Pure.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "base/json.h"
#include "render/document.h"

namespace bitsweep::report {

// One table a target, a column a variant.
std::vector<render::Block> recommendation_section(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                                                  int level);
json::array recommendation_json(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);

std::vector<render::Block> next_runs_section(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                                             int level);
json::array next_runs_json(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);

// What the latest earlier report of the same runs said that this one says otherwise; nothing when there was none, or
// when the points are the same.
std::vector<render::Block> changes_section(const analysis::ReportInput& input, const analysis::Analysis& analysis);
json::array changes_json(const analysis::ReportInput& input, const analysis::Analysis& analysis);

}  // namespace bitsweep::report
