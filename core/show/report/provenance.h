// The report's foot: where every number comes from and how to get it again.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "render/document.h"

namespace bitsweep {

void append_provenance(const ReportInput& input, const Analysis& analysis, std::vector<Block>& out);

}  // namespace bitsweep
