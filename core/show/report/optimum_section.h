// How budgets are best divided (analysis/optimum.h), as a section and as JSON. Pure.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "base/json.h"
#include "render/document.h"

namespace bitsweep::report {

std::vector<render::Block> optimum_section(const analysis::GroupAnalysis& g, int level);
json::array optimum_json(const analysis::GroupAnalysis& g);

}  // namespace bitsweep::report
