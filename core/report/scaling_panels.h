// Panels of final loss against one axis of scale, with the fitted law through them: what params.svg and tokens.svg
// share.
#pragma once

#include <string>
#include <vector>

#include "report/analysis.h"
#include "report/svg.h"

namespace bitsweep {

enum class ScalingAxis { params, tokens };

// One panel for each value of the other axis at which there is something to see, and for each target beyond them.
std::vector<PlotPanel> scaling_panels(const ReportInput& input, const GroupAnalysis& g, ScalingAxis axis);
std::string scaling_caption(const GroupAnalysis& g, const std::vector<PlotPanel>& panels);

// A variant's look is the same in every figure.
PlotSeries variant_series(size_t variant, const std::string& name);
// A cell as a point at x: error bar over seeds, and all its figures on hover.
PlotPoint cell_point(const ReportInput& input, const ReportCell& cell, double x);

}  // namespace bitsweep
