// What a report says in words. Every sentence is made from the analysis and only where it is true. Pure.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "render/document.h"

namespace bitsweep {

// What was found in one group: best run, yardsticks, size, tokens, variants, laws, predictions.
std::vector<Text> group_findings(const GroupAnalysis& g);
// About the runs as a whole: how many count, and what became of the others.
std::vector<Text> run_findings(const ReportInput& input, const Analysis& analysis);
// Both, group by group, as the summary lists them.
std::vector<Text> summary_findings(const ReportInput& input, const Analysis& analysis);

// What to keep in mind before relying on any of it. caveats.cpp has one function a rule.
std::vector<Text> group_caveats(const ReportInput& input, const GroupAnalysis& g);
// Runs that would complete the picture.
std::vector<Text> group_missing(const ReportInput& input, const GroupAnalysis& g);

// "0.070 bits per byte"; the number alone where the unit is not known.
std::string in_loss_unit(const GroupAnalysis& g, const std::string& number);
// Of an axis: "final validation loss (bits per byte)".
std::string loss_title(const GroupAnalysis& g, const std::string& what);

// "v75, 1.05M parameters, 4.1M tokens"
std::string cell_name(const ReportCell& cell);
// "a", "a and b", "a, b and c"
std::string listed(const std::vector<std::string>& names);
// The same, but "all 9 variants" for everyone of more than three.
std::string listed_variants(const GroupAnalysis& g, const std::vector<std::string>& names);

}  // namespace bitsweep
