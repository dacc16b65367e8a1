// Which builds of the code made the runs of a report: where there were several, or another than the one at hand. Pure.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "render/document.h"

namespace bitsweep::report {

// A rule (rules.h): the runs of a variant, or the variants, were made by several builds.
void several_builds(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                    std::vector<render::Text>& out);

// A sentence for each way in which finished runs were made by another build than the one at hand, with their ids.
std::vector<render::Text> outdated_runs(const analysis::ReportInput& input);
// The same for programs: [{"run", "plugin": {"made", "now"}, "libbitsweep_nn": {…}}]; empty when there is none.
json::array outdated_json(const analysis::ReportInput& input);

}  // namespace bitsweep::report
