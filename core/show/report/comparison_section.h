// Comparisons as tables: variants against each other at equal size and budget (the reference and neighbours first,
// other pairs folded), batch against batch, text against text; and all of them as CSV. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "render/document.h"

namespace bitsweep {

std::vector<Block> comparisons_section(const GroupAnalysis& g, int level);

// Size against size, or budget against budget: "per tenfold params", "per doubling". REQUIRES steps.
Table steps_table(const ReportInput& input, const GroupAnalysis& g, const std::vector<ScalingStep>& steps, Along along);

// One batch against the next larger, with what it cost.
std::vector<Block> batch_section(const ReportInput& input, const GroupAnalysis& g, int level);

// How much harder one text is than another.
std::vector<Block> offsets_section(const ReportInput& input, const Analysis& analysis);

// comparisons.csv: a row a comparison of any kind, with p_holm.
std::string comparisons_csv(const ReportInput& input, const Analysis& analysis);

// "0.012", "< 0.001", "–"
std::string p_text(std::optional<double> p);

}  // namespace bitsweep
