// Predictions that were stored before their runs began, and how they fared. Pure.
#pragma once

#include <vector>

#include "render/document.h"
#include "report/report.h"

namespace bitsweep::report {

// A paragraph and a table, the last prediction of each run; empty when none was stored.
std::vector<render::Block> prediction_section(const analysis::ReportInput& input);

}  // namespace bitsweep::report
