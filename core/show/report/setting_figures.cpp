// Figures of what is not the law: time taken, and loss against learning rate and batch where several were tried.
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/figures.h"
#include "report/findings.h"
#include "report/scaling_panels.h"

namespace bitsweep::report {

std::optional<render::Figure> wall_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  render::PlotPanel panel{
      "",
      {"training hours", render::Scale::log, render::TickFormat::plain, {}, {}},
      {loss_title(g, "final validation loss"), render::Scale::linear, render::TickFormat::plain, {}, {}},
      {},
      {},
      {}};
  size_t drawn = 0;
  for (size_t v = 0; v < g.table.variants.size(); ++v) {
    render::PlotSeries series = variant_series(v, g.table.variants[v]);
    for (const analysis::ReportCell& cell : g.table.cells) {
      if (cell.variant != series.name || !cell.wall_s || !(*cell.wall_s > 0)) continue;
      series.points.push_back(cell_point(input, cell, *cell.wall_s / 3600));
      series.points.back().title += ", " + format_duration(*cell.wall_s);
      ++drawn;
    }
    if (!series.points.empty()) panel.series.push_back(std::move(series));
  }
  if (drawn < 2) return std::nullopt;
  return render::Figure{
      "wall.svg",
      "Loss against training time",
      "Final validation loss against wall-clock of training, all attempts together, on the machines the runs "
      "were made on.",
      {std::move(panel)},
      true};
}

std::optional<render::Figure> rates_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  // A place at which several rates or batches were tried is a panel; a batch is a line.
  const auto places = cells_by_place(g, [](const analysis::ReportCell& cell) { return cell.lr && *cell.lr > 0; });
  render::Figure figure{"rates.svg", "Loss against learning rate", "", {}, true};
  std::set<double> batches;
  for (const auto& [place, cells] : places)
    for (const analysis::ReportCell* cell : cells) batches.insert(cell->batch.value_or(0));
  for (const auto& [place, cells] : places) {
    std::set<double> rates;
    for (const analysis::ReportCell* cell : cells) rates.insert(*cell->lr);
    if (rates.size() < 2 || figure.panels.size() == kMostVariantPanels) continue;
    const auto [v, size, budget] = place;
    render::PlotPanel panel{
        fmt::format("{}, {} at {}", g.table.variants[v], g.table.sizes[size].label, g.table.budgets[budget].label),
        {"learning rate", render::Scale::log, render::TickFormat::plain, {}, {}},
        {loss_title(g, "final validation loss"), render::Scale::linear, render::TickFormat::plain, {}, {}},
        {},
        {},
        {}};
    size_t rank = 0;
    for (const double batch : batches) {
      render::PlotSeries series{batch > 0 ? "batch " + format_count(batch) : "batch not known",
                                render::ramp_colour(rank, batches.size()),
                                render::Marker::circle,
                                render::Dash::solid,
                                true,
                                false,
                                {}};
      ++rank;
      for (const analysis::ReportCell* cell : cells)
        if (cell->batch.value_or(0) == batch) series.points.push_back(cell_point(input, *cell, *cell->lr));
      std::stable_sort(series.points.begin(), series.points.end(),
                       [](const render::PlotPoint& a, const render::PlotPoint& b) { return a.x < b.x; });
      if (!series.points.empty()) panel.series.push_back(std::move(series));
    }
    figure.panels.push_back(std::move(panel));
  }
  if (figure.panels.empty()) return std::nullopt;
  figure.share_y = false;
  figure.caption =
      "Final validation loss against learning rate, a line a batch, wherever several rates were tried at one size and "
      "budget. A line that still falls at its end was not followed to its minimum.";
  return figure;
}

}  // namespace bitsweep::report
