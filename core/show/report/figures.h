// The figures of one group of comparable runs. A figure that the data cannot fill is left out.
#pragma once

#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "render/svg.h"

namespace bitsweep {

// Validation loss against tokens, one panel a variant, one line a run, count models as dashed levels.
std::optional<Figure> curves_figure(const ReportInput& input, const GroupAnalysis& g);
// Final loss against parameters, one panel a token budget; the fitted law solid where there are runs, dashed beyond.
std::optional<Figure> params_figure(const ReportInput& input, const GroupAnalysis& g);
// Final loss against tokens, one panel a size.
std::optional<Figure> tokens_figure(const ReportInput& input, const GroupAnalysis& g);
// Final loss against training FLOPs, with the runs that no other one beats at less compute.
std::optional<Figure> compute_figure(const ReportInput& input, const GroupAnalysis& g);
// Log of measured minus log of fitted loss against training FLOPs, run by run.
std::optional<Figure> residual_figure(const ReportInput& input, const GroupAnalysis& g);
// Predicted loss of each target with its band, from the runs to it, one panel a target.
std::optional<Figure> prediction_figure(const ReportInput& input, const GroupAnalysis& g);
// Variants against one of them at equal size and tokens, a dot and its interval each.
std::optional<Figure> comparison_figure(const ReportInput& input, const GroupAnalysis& g);
// Final loss over batch and learning rate as a heat map, one panel a variant, size and budget at which both were
// varied.
std::optional<Figure> surface_figure(const ReportInput& input, const GroupAnalysis& g);

// Lines of equal fitted loss over sizes and tokens, with the runs on them.
std::optional<Figure> contour_figure(const ReportInput& input, const GroupAnalysis& g);
// Fitted loss against parameters at held compute, a curve a budget.
std::optional<Figure> slice_figure(const ReportInput& input, const GroupAnalysis& g);
// The law's best loss of each budget with its band, solid where there are runs, dashed beyond.
std::optional<Figure> frontier_figure(const ReportInput& input, const GroupAnalysis& g);
// Final loss against wall-clock.
std::optional<Figure> wall_figure(const ReportInput& input, const GroupAnalysis& g);
// Final loss against learning rate, a line a batch, where several rates were tried.
std::optional<Figure> rates_figure(const ReportInput& input, const GroupAnalysis& g);

}  // namespace bitsweep
