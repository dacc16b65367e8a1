// The figures of one group of comparable runs. A figure that the data cannot fill is left out.
#pragma once

#include <string>
#include <vector>

#include "report/analysis.h"
#include "report/svg.h"

namespace bitsweep {

// Validation loss against tokens, one panel a variant, one line a run, count models as dashed levels.
std::optional<Figure> curves_figure(const ReportInput& input, const GroupAnalysis& g);
// Final loss against parameters, one panel a token budget; the fitted law solid where there are runs, dashed beyond.
std::optional<Figure> params_figure(const ReportInput& input, const GroupAnalysis& g);
// Final loss against tokens, one panel a size.
std::optional<Figure> tokens_figure(const ReportInput& input, const GroupAnalysis& g);
// Final loss against training FLOPs, with the runs that no other one beats at less compute.
std::optional<Figure> compute_figure(const ReportInput& input, const GroupAnalysis& g);
// Measured minus fitted, run by run.
std::optional<Figure> residual_figure(const ReportInput& input, const GroupAnalysis& g);

// FLOPs of a cell's training: as planned, else 6 N D.
double training_flops(const ReportCell& cell);

}  // namespace bitsweep
