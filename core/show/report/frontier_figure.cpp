// The best loss of each budget by the joint law.
#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/figures.h"
#include "report/findings.h"
#include "report/scaling_panels.h"

namespace bitsweep::report {

using analysis::GroupAnalysis;
using analysis::ReportInput;
using render::Figure;
using render::PlotPanel;
using render::PlotSeries;

std::optional<Figure> frontier_figure(const ReportInput& input, const GroupAnalysis& g) {
  if (g.optima.empty()) return std::nullopt;
  PlotPanel panel{"",
                  {"training FLOPs", render::Scale::log, render::TickFormat::power, {}, {}},
                  {loss_title(g, "loss"), render::Scale::linear, render::TickFormat::plain, {}, {}},
                  {},
                  {},
                  {}};
  for (size_t v = 0; v < g.table.variants.size(); ++v) {
    for (const analysis::ComputeOptimum& optimum : g.optima) {
      if (optimum.variant != g.table.variants[v]) continue;
      const PlotSeries look = variant_series(v, optimum.variant);
      render::PlotBand band{look.colour, {}};
      PlotSeries inside{"", look.colour, render::Marker::none, render::Dash::solid, true, false, {}};
      PlotSeries beyond{"", look.colour, render::Marker::none, render::Dash::dashed, true, false, {}};
      for (const analysis::FrontierPoint& p : optimum.path) {
        const std::string title = fmt::format(
            "{}, {} FLOPs at {} parameters: {} ({} to {})", optimum.variant, render::format_significant(p.flops, 3),
            format_count(p.params), render::format_bpc(p.loss), render::format_bpc(p.low), render::format_bpc(p.high));
        band.points.push_back({p.flops, p.loss, p.low, p.high, ""});
        if (p.flops <= optimum.largest_flops) inside.points.push_back({p.flops, p.loss, {}, {}, title});
        if (p.flops > optimum.largest_flops && beyond.points.empty() && !inside.points.empty())
          beyond.points.push_back(inside.points.back());
        if (p.flops > optimum.largest_flops) beyond.points.push_back({p.flops, p.loss, {}, {}, title});
      }
      panel.bands.push_back(std::move(band));
      panel.series.push_back(std::move(inside));
      panel.series.push_back(std::move(beyond));
    }
    PlotSeries runs = variant_series(v, g.table.variants[v]);
    for (const size_t c : g.table.chosen) {
      const analysis::ReportCell& cell = g.table.cells[c];
      if (cell.variant == runs.name) runs.points.push_back(cell_point(input, cell, training_flops(cell)));
    }
    panel.series.push_back(std::move(runs));
  }
  return Figure{"frontier.svg",
                "The best loss of each budget, by the fitted law",
                "Loss at the compute-optimal size, with its 95 % band; dashed where it goes beyond the measured runs. "
                "Markers: measured runs.",
                {std::move(panel)},
                true};
}

}  // namespace bitsweep::report
