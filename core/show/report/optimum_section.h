// How budgets are best divided (analysis/optimum.h), as a section and as JSON. Pure.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "base/json.h"
#include "render/document.h"

namespace bitsweep {

std::vector<Block> optimum_section(const GroupAnalysis& g, int level);
json::array optimum_json(const GroupAnalysis& g);

}  // namespace bitsweep
