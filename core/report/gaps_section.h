// Variants against each other at equal size and budget: the reference and neighbours first, other pairs folded. Pure.
#pragma once

#include <vector>

#include "report/analysis.h"
#include "report/document.h"

namespace bitsweep {

std::vector<Block> gaps_section(const GroupAnalysis& g, int level);

}  // namespace bitsweep
