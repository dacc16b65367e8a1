// The rules about comparisons with more than one possible cause: all the factors that differ are named, and the run
// that would tell them apart. Part of the list in rules.h. Pure.
#pragma once

#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "render/document.h"

namespace bitsweep::report {

// A cell as its reader knows it: a row of a file by its name, else variant, parameters and tokens.
std::string told_name(const analysis::ReportInput& input, const analysis::ReportCell& cell);

// The run that would leave one factor: `to`'s size and tokens under the settings of `from`.
std::string missing_cell(const analysis::ReportCell& from, const analysis::ReportCell& to);
std::string missing_text(const analysis::MissingRun& run);

void confounded(const analysis::ReportInput& input, const analysis::GroupAnalysis& g, std::vector<render::Text>& out);
void unmatched_sizes(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                     std::vector<render::Text>& out);
void equal_steps(const analysis::ReportInput& input, const analysis::GroupAnalysis& g, std::vector<render::Text>& out);
void unequal_batches(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                     std::vector<render::Text>& out);
void unlabelled_repeats(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                        std::vector<render::Text>& out);

}  // namespace bitsweep::report
