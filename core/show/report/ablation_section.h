// What one setting does, all else equal: a table over sizes and budgets, one place by place, and a sentence for each.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "render/document.h"

namespace bitsweep::report {

std::vector<render::Block> ablations_section(const analysis::GroupAnalysis& g, int level);
std::vector<render::Text> ablation_findings(const analysis::GroupAnalysis& g);

}  // namespace bitsweep::report
