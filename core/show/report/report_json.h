// Every figure of a report as one JSON document.
#pragma once

#include "analysis/analysis.h"
#include "analysis/decision.h"
#include "base/json.h"
#include "report/sections.h"

namespace bitsweep::report {

// {"name", "sweeps", "source", "version", "decision" (decision_block.h), "summary": [sentences], "groups": [{"label",
// "dataset", "cells", "left_out", "param_steps", "token_steps", "variant_gaps", "fits", "caveats", "missing",
// "figures"}], "runs": [ids]}. What is not known is null; nothing is NaN.
json::object report_json(const analysis::ReportInput& input, const analysis::Analysis& analysis,
                         const std::vector<GroupFigures>& figures, const std::vector<analysis::Decision>& decisions);

}  // namespace bitsweep::report
