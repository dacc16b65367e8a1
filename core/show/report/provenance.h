// The report's foot: where every number comes from and how to get it again.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "render/document.h"

namespace bitsweep::report {

void append_provenance(const analysis::ReportInput& input, const analysis::Analysis& analysis,
                       std::vector<render::Block>& out);

}  // namespace bitsweep::report
