// Loss over batch and learning rate as a heat map, wherever both were varied at one size and budget.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/figures.h"
#include "report/findings.h"
#include "report/scaling_panels.h"

namespace bitsweep::report {
namespace {

constexpr size_t kLeastCells = 4;

// The best of each pair of batch and rate, where other settings were varied besides.
std::map<std::pair<double, double>, const analysis::ReportCell*> surface_of(
    const std::vector<const analysis::ReportCell*>& cells) {
  std::map<std::pair<double, double>, const analysis::ReportCell*> best;
  for (const analysis::ReportCell* cell : cells) {
    const analysis::ReportCell*& known = best[{*cell->batch, *cell->lr}];
    if (known == nullptr || cell->final_bpc.mean < known->final_bpc.mean) known = cell;
  }
  return best;
}

struct Grid {
  std::vector<double> batches, rates;  // ascending
};

Grid grid_of(const std::map<std::pair<double, double>, const analysis::ReportCell*>& surface) {
  std::set<double> batches, rates;
  for (const auto& [at, cell] : surface) batches.insert(at.first), rates.insert(at.second);
  return {{batches.begin(), batches.end()}, {rates.begin(), rates.end()}};
}

double index_in(const std::vector<double>& values, double value) {
  return static_cast<double>(std::lower_bound(values.begin(), values.end(), value) - values.begin());
}

render::PlotPanel surface_panel(const analysis::ReportInput& input, std::string title,
                                const std::map<std::pair<double, double>, const analysis::ReportCell*>& surface,
                                bool& edge) {
  const Grid grid = grid_of(surface);
  render::PlotPanel panel;
  panel.title = std::move(title);
  panel.x.label = "learning rate";
  panel.y.label = "batch (sequences)";
  for (const double rate : grid.rates) panel.x.names.push_back(render::format_significant(rate, 2));
  for (const double batch : grid.batches) panel.y.names.push_back(format_count(batch));
  double least = HUGE_VAL, most = -HUGE_VAL;
  for (const auto& [at, cell] : surface) {
    least = std::min(least, cell->final_bpc.mean);
    most = std::max(most, cell->final_bpc.mean);
  }
  for (const auto& [at, cell] : surface) {
    const double loss = cell->final_bpc.mean;
    render::PlotCell square;
    square.x = index_in(grid.rates, at.second);
    square.y = index_in(grid.batches, at.first);
    square.value = loss;
    square.text = render::format_bpc(loss);
    square.shade = most > least ? (most - loss) / (most - least) : 0;
    square.outlined = loss <= least;
    square.title = fmt::format("batch {}, learning rate {}: {}", format_count(at.first),
                               render::format_significant(at.second, 2), render::format_bpc(loss));
    if (cell->final_bpc.half_width)
      square.title +=
          fmt::format(" ± {} over {} seeds", render::format_bpc(*cell->final_bpc.half_width), cell->final_bpc.values);
    square.title += fmt::format(" (run {})", input.runs[cell->runs.front()].row.id);
    if (square.outlined)
      edge |= square.x == 0 || square.y == 0 || square.x + 1 == static_cast<double>(grid.rates.size()) ||
              square.y + 1 == static_cast<double>(grid.batches.size());
    panel.cells.push_back(std::move(square));
  }
  return panel;
}

}  // namespace

std::optional<render::Figure> surface_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  const auto places = cells_by_place(g, [](const analysis::ReportCell& cell) { return cell.lr && cell.batch; });
  render::Figure figure{"surface.svg", "Loss over batch and learning rate", "", {}, false};
  bool edge = false;
  for (const auto& [place, cells] : places) {
    const auto surface = surface_of(cells);
    const Grid grid = grid_of(surface);
    if (grid.batches.size() < 2 || grid.rates.size() < 2 || surface.size() < kLeastCells) continue;
    if (figure.panels.size() == kMostPanels) break;
    const auto [v, size, budget] = place;
    figure.panels.push_back(surface_panel(
        input,
        fmt::format("{}, {} on {}", g.table.variants[v], g.table.sizes[size].label, g.table.budgets[budget].label),
        surface, edge));
  }
  if (figure.panels.empty()) return std::nullopt;
  figure.caption = loss_title(g, "Final validation loss") +
                   " at one size and token budget: deeper is lower, the lowest is outlined, and what is empty was not "
                   "run.";
  if (edge) figure.caption += " A lowest one at the rim means that the search did not enclose the minimum.";
  return figure;
}

}  // namespace bitsweep::report
