// What training did to each number that runs tell: texts beside, tasks, their own loss.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "render/document.h"

namespace bitsweep::report {

// Empty where nothing was told before the first step and no text lies beside.
std::vector<render::Block> before_after_section(const analysis::GroupAnalysis& g, int level);
// For the summary: of each unit what became worst and what became best.
std::vector<render::Text> before_after_findings(const analysis::GroupAnalysis& g);

}  // namespace bitsweep::report
