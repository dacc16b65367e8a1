// Panels of final loss against one axis of scale, with the fitted law through them: what params.svg and tokens.svg
// share.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "analysis/analysis.h"
#include "render/svg.h"

namespace bitsweep::report {

// In a figure: what a page holds, and one for each variant.
constexpr size_t kMostPanels = 6, kMostVariantPanels = 9;

enum class ScalingAxis { params, tokens };

// One panel for each value of the other axis at which there is something to see, and for each target beyond them; of
// more than kMostPanels the fullest, from one end to the other.
std::vector<render::PlotPanel> scaling_panels(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                                              ScalingAxis axis);
std::string scaling_caption(const analysis::GroupAnalysis& g, const std::vector<render::PlotPanel>& panels,
                            ScalingAxis axis);

// A variant's look is the same in every figure.
render::PlotSeries variant_series(size_t variant, const std::string& name);
// A cell as a point at x: error bar over seeds, and all its figures on hover.
render::PlotPoint cell_point(const analysis::ReportInput& input, const analysis::ReportCell& cell, double x);

// Where cells differ in their settings alone: variant (its index), size class, budget class. Those that `keep` takes.
using Place = std::tuple<size_t, size_t, size_t>;
std::map<Place, std::vector<const analysis::ReportCell*>> cells_by_place(
    const analysis::GroupAnalysis& g, const std::function<bool(const analysis::ReportCell&)>& keep);

}  // namespace bitsweep::report
