// The figures of one group of comparable runs. A figure that the data cannot fill is left out.
#pragma once

#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "render/svg.h"

namespace bitsweep::report {

// Validation loss against tokens, one panel a variant, one line a run, count models as dashed levels.
std::optional<render::Figure> curves_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);
// Final loss against parameters, one panel a token budget; the fitted law solid where there are runs, dashed beyond.
std::optional<render::Figure> params_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);
// Final loss against tokens, one panel a size.
std::optional<render::Figure> tokens_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);
// Final loss against training FLOPs, with the runs that no other one beats at less compute.
std::optional<render::Figure> compute_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);
// Log of measured minus log of fitted loss against training FLOPs, run by run.
std::optional<render::Figure> residual_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);
// Predicted loss of each target with its band, from the runs to it, one panel a target.
std::optional<render::Figure> prediction_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);
// Variants against one of them at equal size and tokens, a dot and its interval each.
std::optional<render::Figure> comparison_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);
// Final loss over batch and learning rate as a heat map, one panel a variant, size and budget at which both were
// varied.
std::optional<render::Figure> surface_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);

// Lines of equal fitted loss over sizes and tokens, with the runs on them.
std::optional<render::Figure> contour_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);
// Fitted loss against parameters at held compute, a curve a budget.
std::optional<render::Figure> slice_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);
// The law's best loss of each budget with its band, solid where there are runs, dashed beyond.
std::optional<render::Figure> frontier_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);
// Final loss against wall-clock.
std::optional<render::Figure> wall_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);
// Final loss against learning rate, a line a batch, where several rates were tried.
std::optional<render::Figure> rates_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);
// The best rate against size, and the best batch against tokens, with their laws, where enough places were tuned.
std::optional<render::Figure> tuning_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g);

}  // namespace bitsweep::report
