#include "report/figures.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/findings.h"
#include "report/scaling_panels.h"

namespace bitsweep::report {
namespace {

// Losses of the first steps would flatten all that matters: the axis begins where a tenth of the run is done.
double top_of(const std::vector<query::EvalRow>& curve) {
  const double from = 0.1 * static_cast<double>(curve.back().tokens);
  for (const query::EvalRow& e : curve)
    if (e.val_bpc && static_cast<double>(e.tokens) >= from) return *e.val_bpc;
  return -HUGE_VAL;
}

std::vector<render::PlotLevel> yardstick_levels(const analysis::GroupAnalysis& g) {
  std::vector<render::PlotLevel> levels;
  if (g.dataset == nullptr) return levels;
  for (size_t order = 0; order < g.yardsticks.size(); ++order)
    levels.push_back(
        {fmt::format("order {}", order), g.yardsticks[order],
         fmt::format("count model of order {}: {} bits per byte", order, render::format_bpc(g.yardsticks[order]))});
  if (const auto entropy = g.dataset->entropy_bpb)
    levels.push_back({"entropy", *entropy,
                      fmt::format("entropy rate of the source: {} bits per byte", render::format_bpc(*entropy))});
  return levels;
}

struct CurveRange {
  double least = HUGE_VAL, most = -HUGE_VAL;
};

// Yardsticks just outside of the curves are drawn in; far ones are not worth the room.
CurveRange widen_to_levels(CurveRange range, const std::vector<render::PlotLevel>& levels) {
  const double near = std::max(0.15 * (range.most - range.least), 0.05);
  CurveRange wide = range;
  for (const render::PlotLevel& level : levels)
    if (level.y > range.least - near && level.y < range.most + near)
      wide = {std::min(wide.least, level.y), std::max(wide.most, level.y)};
  const double air = 0.04 * (wide.most - wide.least);
  return {wide.least - air, wide.most + air};
}

render::PlotSeries curve_of(const analysis::MeasuredRun& run, const std::string& size_label, int colour, bool counts) {
  render::PlotSeries series;
  series.name = size_label;
  series.colour = colour;
  series.small = true;
  series.dash = counts ? render::Dash::solid : render::Dash::dotted;
  for (const query::EvalRow& e : run.curve) {
    if (!e.val_bpc || e.tokens <= 0) continue;
    series.points.push_back({static_cast<double>(e.tokens),
                             *e.val_bpc,
                             {},
                             {},
                             fmt::format("{} {}, {} tokens: {} (run {}{})", run.row.plugin, size_label,
                                         format_count(static_cast<double>(e.tokens)), render::format_bpc(*e.val_bpc),
                                         run.row.id, counts ? "" : ", " + exclusion_reason(run.row))});
  }
  // Many points on a line are a smear of markers.
  series.marker = series.points.size() <= 30 ? render::Marker::circle : render::Marker::none;
  return series;
}

}  // namespace

std::optional<render::Figure> curves_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  std::vector<double> sizes;
  for (const size_t r : g.group.runs)
    if (input.runs[r].curve.size() >= 2) sizes.push_back(static_cast<double>(input.runs[r].row.params));
  if (sizes.empty()) return std::nullopt;
  std::vector<size_t> size_of;
  const std::vector<analysis::ValueClass> classes = analysis::classify_sizes(sizes, size_of);

  render::Figure figure{"curves.svg", "Validation loss during training", "", {}, true};
  CurveRange range, of_others;  // runs that do not count give the scale where there are no others
  bool dotted = false;
  for (size_t k = 0, drawn = 0; k < g.group.runs.size(); ++k) {
    const analysis::MeasuredRun& run = input.runs[g.group.runs[k]];
    if (run.curve.size() < 2) continue;
    const size_t size = size_of[drawn++];
    const bool counts = exclusion_reason(run.row).empty();
    render::PlotSeries series =
        curve_of(run, classes[size].label + " params", render::ramp_colour(size, classes.size()), counts);
    if (series.points.empty()) continue;
    dotted |= !counts;
    const auto same = [&](const render::PlotPanel& panel) { return panel.title == g.variant_of[k]; };
    auto panel = std::find_if(figure.panels.begin(), figure.panels.end(), same);
    if (panel == figure.panels.end()) {
      if (figure.panels.size() == kMostVariantPanels) continue;
      panel = figure.panels.insert(
          panel, {g.variant_of[k],
                  {"tokens seen", render::Scale::log, render::TickFormat::count, {}, {}},
                  {loss_title(g, "validation loss"), render::Scale::linear, render::TickFormat::plain, {}, {}},
                  {},
                  yardstick_levels(g),
                  {}});
    }
    CurveRange& extent = counts ? range : of_others;
    extent.most = std::max({extent.most, top_of(run.curve), series.points.back().y});
    for (const render::PlotPoint& p : series.points) extent.least = std::min(extent.least, p.y);
    panel->series.push_back(std::move(series));
  }
  if (figure.panels.empty()) return std::nullopt;
  if (range.most < range.least) range = of_others;
  range = widen_to_levels(range, figure.panels[0].levels);
  for (render::PlotPanel& panel : figure.panels) {
    panel.y.least = range.least;
    panel.y.most = range.most;
    // The legend lists sizes from small to large.
    std::stable_sort(panel.series.begin(), panel.series.end(),
                     [](const render::PlotSeries& a, const render::PlotSeries& b) { return a.colour < b.colour; });
  }
  figure.caption = "Validation loss against tokens seen, one line a run, coloured by size.";
  if (!g.yardsticks.empty())
    figure.caption += fmt::format(" Dashed: count models of order 0 to {} on {}, where in view.",
                                  g.yardsticks.size() - 1, g.scored_bytes > 0 ? "the same bytes" : "the same text");
  if (dotted) figure.caption += " Dotted: runs that do not count.";
  return figure;
}

std::optional<render::Figure> params_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  render::Figure figure{"params.svg", "Loss against parameters", "", scaling_panels(input, g, ScalingAxis::params),
                        true};
  if (figure.panels.empty()) return std::nullopt;
  figure.caption = "Final validation loss against parameters, one panel a token budget." +
                   scaling_caption(g, figure.panels, ScalingAxis::params);
  return figure;
}

std::optional<render::Figure> tokens_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  render::Figure figure{"tokens.svg", "Loss against tokens", "", scaling_panels(input, g, ScalingAxis::tokens), true};
  if (figure.panels.empty()) return std::nullopt;
  figure.caption = "Final validation loss against training tokens, one panel a size." +
                   scaling_caption(g, figure.panels, ScalingAxis::tokens);
  return figure;
}

std::optional<render::Figure> compute_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  if (g.table.cells.size() < 2) return std::nullopt;
  render::PlotPanel panel{
      "",
      {"training FLOPs", render::Scale::log, render::TickFormat::power, {}, {}},
      {loss_title(g, "final validation loss"), render::Scale::log, render::TickFormat::plain, {}, {}},
      {},
      {},
      {}};
  std::vector<const analysis::ReportCell*> by_compute;
  for (const analysis::ReportCell& cell : g.table.cells) by_compute.push_back(&cell);
  std::stable_sort(by_compute.begin(), by_compute.end(), [](auto* a, auto* b) {
    const double x = training_flops(*a), y = training_flops(*b);
    return x != y ? x < y : a->final_bpc.mean < b->final_bpc.mean;
  });
  render::PlotSeries frontier{"frontier: nothing better for less",
                              render::kNeutral,
                              render::Marker::none,
                              render::Dash::dashed,
                              true,
                              false,
                              {}};
  double best = HUGE_VAL;
  for (const analysis::ReportCell* cell : by_compute) {
    if (cell->final_bpc.mean >= best) continue;
    best = cell->final_bpc.mean;
    frontier.points.push_back({training_flops(*cell), best, {}, {}, ""});
  }
  if (frontier.points.size() > 1) panel.series.push_back(std::move(frontier));
  for (size_t v = 0; v < g.table.variants.size(); ++v) {
    render::PlotSeries series = variant_series(v, g.table.variants[v]);
    for (const analysis::ReportCell* cell : by_compute)
      if (cell->variant == g.table.variants[v])
        series.points.push_back(cell_point(input, *cell, training_flops(*cell)));
    panel.series.push_back(std::move(series));
  }
  const bool planned =
      std::all_of(by_compute.begin(), by_compute.end(), [](auto* c) { return c->flops && *c->flops > 0; });
  return render::Figure{"compute.svg",
                        "Loss against compute",
                        std::string("Final validation loss against training FLOPs (") +
                            (planned ? "counted from the model's shape" : "6 N D where the exact count is not known") +
                            "). The dashed frontier joins the runs that none beats with less compute.",
                        {std::move(panel)},
                        true};
}

std::optional<render::Figure> residual_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  render::PlotPanel panel{"",
                          {"training FLOPs", render::Scale::log, render::TickFormat::power, {}, {}},
                          {"log measured − log fitted loss", render::Scale::linear, render::TickFormat::plain, {}, {}},
                          {},
                          {{"", 0, "measured as fitted"}},
                          {}};
  double largest = 1e-4;
  for (size_t v = 0; v < g.table.variants.size(); ++v) {
    for (const analysis::LawFit& fit : g.fits) {
      if (fit.variant != g.table.variants[v] || !fit.drawable()) continue;
      // As many parameters as configurations: there is nothing left over to look at.
      if (fit.result.groups <= static_cast<int>(fit.result.params.size())) continue;
      render::PlotSeries series = variant_series(v, fit.variant);
      for (size_t k = 0; k < fit.result.fits.size(); ++k) {
        const fit::PointFit& p = fit.result.fits[k];
        const query::RunRow& row = input.runs[fit.runs[k]].row;
        const double relative = std::log(fit.points[k].loss / p.fitted);
        largest = std::max(largest, std::abs(relative));
        series.points.push_back(
            {row.flops && *row.flops > 0 ? *row.flops : 6 * fit.points[k].params * fit.points[k].tokens,
             relative,
             {},
             {},
             fmt::format("{}, {} parameters, {} tokens: measured {}, fitted {}, residual {} (run {})", fit.variant,
                         format_count(fit.points[k].params), format_count(fit.points[k].tokens),
                         render::format_bpc(fit.points[k].loss), render::format_bpc(p.fitted),
                         render::format_delta(p.residual), row.id)});
      }
      panel.series.push_back(std::move(series));
      break;  // the first law that could be fitted
    }
  }
  if (panel.series.empty()) return std::nullopt;
  panel.y.least = -1.15 * largest;
  panel.y.most = 1.15 * largest;
  return render::Figure{
      "residuals.svg",
      "Residuals of the fitted laws",
      "Log of the measured minus log of the fitted final loss against training FLOPs, one point a run; 0.01 "
      "is about one "
      "per cent. A pattern along the axis means that the law does not fit.",
      {std::move(panel)},
      true};
}

}  // namespace bitsweep::report
