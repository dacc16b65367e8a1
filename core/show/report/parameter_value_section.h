// What a parameter of each variant is worth (analysis/parameter_value.h), as a section and as JSON. Pure.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "base/json.h"
#include "render/document.h"

namespace bitsweep::report {

std::vector<render::Block> parameter_value_section(const analysis::GroupAnalysis& g, int level);
json::value parameter_value_json(const analysis::GroupAnalysis& g);

}  // namespace bitsweep::report
