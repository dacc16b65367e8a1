// What a report says in words. Every sentence is made from the analysis and only where it is true. Pure.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "analysis/decision.h"
#include "render/document.h"

namespace bitsweep::report {

// What was found in one group: best run, yardsticks, size, tokens, variants, laws, predictions.
// `doubts`: of its caveats; findings that they take back say so.
std::vector<render::Text> group_findings(const analysis::GroupAnalysis& g,
                                         const std::vector<analysis::Doubt>& doubts = {});
// About the runs as a whole: how many count, and what became of the others.
std::vector<render::Text> run_findings(const analysis::ReportInput& input, const analysis::Analysis& analysis);
// As the summary lists them: of several groups what keeps them apart, for each has a part of its own.
std::vector<render::Text> summary_findings(const analysis::ReportInput& input, const analysis::Analysis& analysis);

// What to keep in mind before relying on any of it. caveats.cpp has one function a rule.
std::vector<render::Text> group_caveats(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);
// Runs that would complete the picture.
std::vector<render::Text> group_missing(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);

// "0.070 bits per byte"; the number alone where the unit is not known.
std::string in_loss_unit(const analysis::GroupAnalysis& g, const std::string& number);
// Of an axis: "final validation loss (bits per byte)"; "final arc.bpb (bits per byte, lower is better)" where another
// metric stands in its place.
std::string loss_title(const analysis::GroupAnalysis& g, const std::string& what);
// A title or caption with the name of that metric for the loss's.
std::string with_loss_name(const analysis::GroupAnalysis& g, std::string text);

// "v75, 1.05M parameters, 4.1M tokens"
std::string cell_name(const analysis::ReportCell& cell);
// "a", "a and b", "a, b and c"
std::string listed(const std::vector<std::string>& names);
// The same, but "all 9 variants" for everyone of more than three.
std::string listed_variants(const analysis::GroupAnalysis& g, const std::vector<std::string>& names);

}  // namespace bitsweep::report
