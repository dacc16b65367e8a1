// The rules about comparisons with more than one possible cause: all the factors that differ are named, and the run
// that would tell them apart. Part of the list in rules.h. Pure.
#pragma once

#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "render/document.h"

namespace bitsweep {

// A cell as its reader knows it: a row of a file by its name, else variant, parameters and tokens.
std::string told_name(const ReportInput& input, const ReportCell& cell);

// The run that would leave one factor: `to`'s size and tokens under the settings of `from`.
std::string missing_cell(const ReportCell& from, const ReportCell& to);
std::string missing_text(const MissingRun& run);

void confounded(const ReportInput& input, const GroupAnalysis& g, std::vector<Text>& out);
void unmatched_sizes(const ReportInput& input, const GroupAnalysis& g, std::vector<Text>& out);
void equal_steps(const ReportInput& input, const GroupAnalysis& g, std::vector<Text>& out);
void unequal_batches(const ReportInput& input, const GroupAnalysis& g, std::vector<Text>& out);
void unlabelled_repeats(const ReportInput& input, const GroupAnalysis& g, std::vector<Text>& out);

}  // namespace bitsweep
