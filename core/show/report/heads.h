// Where the attention of each variant looks: layer × head heat maps, and what they say. Of runs that were probed. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/sections.h"

namespace bitsweep::report {

// The run that stands for a variant: of those that finished and were probed the largest, then the longest, then the one
// with the lowest seed.
struct ProbedVariant {
  std::string variant;
  const analysis::MeasuredRun* run = nullptr;  // has `attention`
};
std::vector<ProbedVariant> probed_variants(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);

// A row a variant: IPMR on text, IPMR on repeated random tokens, agreement between windows. Nothing without probes.
std::optional<DrawnFigure> heads_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);

// The section around it: what the numbers are, a table, the specialists of each variant. Empty without probes.
std::vector<render::Block> heads_section(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                                         const GroupFigures& figures, int level);

// [{"variant", "run", "step", "totals", "maps", "specialists", "repeat_specialists"}]
json::array heads_json(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);

}  // namespace bitsweep::report
