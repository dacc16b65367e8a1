// Comparisons as tables: variants against each other at equal size and budget (the reference and neighbours first,
// other pairs folded), batch against batch, text against text; and all of them as CSV. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "render/document.h"

namespace bitsweep::report {

std::vector<render::Block> comparisons_section(const analysis::GroupAnalysis& g, int level);

// Size against size, or budget against budget: "per tenfold params", "per doubling". REQUIRES steps.
render::Table steps_table(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                          const std::vector<analysis::ScalingStep>& steps, analysis::Along along);

// One batch against the next larger, with what it cost.
std::vector<render::Block> batch_section(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                                         int level);

// How much harder one text is than another.
std::vector<render::Block> offsets_section(const analysis::ReportInput& input, const analysis::Analysis& analysis);

// comparisons.csv: a row a comparison of any kind, with p_holm.
std::string comparisons_csv(const analysis::ReportInput& input, const analysis::Analysis& analysis);

// "0.012", "< 0.001", "–"
std::string p_text(std::optional<double> p);

}  // namespace bitsweep::report
