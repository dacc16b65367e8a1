#include "report/scaling_panels.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/findings.h"

namespace bitsweep::report {
namespace {

constexpr int kLinePoints = 60;
constexpr double kBeyond = 2.0;    // how far a law is drawn past its runs without a target
constexpr double kFarthest = 1e4;  // and at most, towards a target

double along(const analysis::ReportCell& cell, ScalingAxis axis) {
  return axis == ScalingAxis::params ? cell.params : cell.tokens;
}
double along(const fit::Target& target, ScalingAxis axis) {
  return axis == ScalingAxis::params ? target.params : target.tokens;
}
double across(const fit::Target& target, ScalingAxis axis) {
  return axis == ScalingAxis::params ? target.tokens : target.params;
}
fit::Target target_at(ScalingAxis axis, double x, double fixed) {
  fit::Target target;
  (axis == ScalingAxis::params ? target.params : target.tokens) = x;
  (axis == ScalingAxis::params ? target.tokens : target.params) = fixed;
  return target;
}

// A value of the other axis, which a panel holds fixed.
struct Fixed {
  double value = 0;
  std::string label;
  std::optional<size_t> of_class;  // nothing: no run was made there
};

std::vector<Fixed> fixed_values(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                                ScalingAxis axis) {
  const std::vector<analysis::ValueClass>& classes = axis == ScalingAxis::params ? g.table.budgets : g.table.sizes;
  std::vector<Fixed> values;
  for (size_t k = 0; k < classes.size(); ++k) values.push_back({classes[k].value, classes[k].label, k});
  const bool any_law = std::any_of(g.fits.begin(), g.fits.end(), [](const analysis::LawFit& f) {
    return f.drawable() && !f.size_class && !f.budget_class;
  });
  for (const fit::Target& target : input.targets) {
    const double value = across(target, axis);
    if (!any_law || !(value > 0) || !(along(target, axis) > 0)) continue;
    const double tolerance = axis == ScalingAxis::params ? 1.02 : 1.15;
    const bool there = std::any_of(values.begin(), values.end(), [&](const Fixed& f) {
      return value < f.value * tolerance && f.value < value * tolerance;
    });
    if (!there) values.push_back({value, format_count(value), std::nullopt});
  }
  return values;
}

size_t class_of(const analysis::ReportCell& cell, ScalingAxis axis) {
  return axis == ScalingAxis::params ? cell.budget_class : cell.size_class;
}

// Chosen cells of a variant at a fixed value, along the axis.
std::vector<const analysis::ReportCell*> cells_at(const analysis::GroupAnalysis& g, const std::string& variant,
                                                  const Fixed& fixed, ScalingAxis axis) {
  std::vector<const analysis::ReportCell*> cells;
  if (!fixed.of_class) return cells;
  for (const size_t c : g.table.chosen) {
    const analysis::ReportCell& cell = g.table.cells[c];
    if (cell.variant == variant && class_of(cell, axis) == *fixed.of_class) cells.push_back(&cell);
  }
  std::stable_sort(cells.begin(), cells.end(), [&](auto* a, auto* b) { return along(*a, axis) < along(*b, axis); });
  return cells;
}

// The law that speaks of this axis at this fixed value, if one could be fitted.
const analysis::LawFit* law_for(const analysis::GroupAnalysis& g, const std::string& variant, const Fixed& fixed,
                                ScalingAxis axis) {
  const bool params = axis == ScalingAxis::params;
  for (const analysis::LawFit& fit : g.fits) {
    if (fit.variant != variant || !fit.drawable() || !(params ? fit.uses_params() : fit.uses_tokens())) continue;
    const auto& only = params ? fit.budget_class : fit.size_class;
    if (!only || only == fixed.of_class) return &fit;
  }
  return nullptr;
}

render::PlotSeries law_curve(const analysis::LawFit& fit, int colour, ScalingAxis axis, double from, double to,
                             double fixed, bool measured) {
  render::PlotSeries series{
      "", colour, render::Marker::none, measured ? render::Dash::solid : render::Dash::dashed, true, true, {}};
  if (!(to > from)) return series;
  std::vector<fit::Target> at;
  for (int i = 0; i < kLinePoints; ++i)
    at.push_back(target_at(axis, from * std::pow(to / from, static_cast<double>(i) / (kLinePoints - 1)), fixed));
  const std::vector<double> losses = fit.losses(at);
  for (size_t i = 0; i < losses.size(); ++i) series.points.push_back({along(at[i], axis), losses[i], {}, {}, ""});
  return series;
}

// Solid where the variant has runs at this fixed value, dashed outside of them and where it has none.
void add_law(render::PlotPanel& panel, const analysis::ReportInput& input, const analysis::LawFit& fit, int colour,
             const Fixed& fixed, ScalingAxis axis, const std::vector<const analysis::ReportCell*>& cells) {
  double least = HUGE_VAL, most = 0;
  for (const fit::Point& p : fit.points) {
    const double x = axis == ScalingAxis::params ? p.params : p.tokens;
    least = std::min(least, x);
    most = std::max(most, x);
  }
  double end = most * kBeyond;
  for (const fit::Target& target : input.targets)
    if (!fixed.of_class) end = std::max(end, std::min(along(target, axis) * 1.1, most * kFarthest));
  const double from = cells.size() < 2 ? least : along(*cells.front(), axis);
  const double to = cells.size() < 2 ? least : along(*cells.back(), axis);
  panel.series.push_back(law_curve(fit, colour, axis, least, from, fixed.value, false));
  panel.series.push_back(law_curve(fit, colour, axis, from, to, fixed.value, true));
  panel.series.push_back(law_curve(fit, colour, axis, to, end, fixed.value, false));
}

void add_predictions(render::PlotPanel& panel, const analysis::LawFit& fit, int colour, const Fixed& fixed,
                     ScalingAxis axis) {
  render::PlotSeries series{"", colour, render::Marker::ring, render::Dash::solid, false, false, {}};
  for (const fit::Prediction& p : fit.result.predictions) {
    const double at = across(p.target, axis);
    if (fixed.of_class || !p.loss || std::abs(std::log(at / fixed.value)) > 0.02) continue;
    const auto& range = p.interval ? p.interval : p.feasible;
    render::PlotPoint point{
        along(p.target, axis),
        *p.loss,
        {},
        {},
        fmt::format("{} at {} parameters and {} tokens: {} predicted", fit.variant, format_count(p.target.params),
                    format_count(p.target.tokens), render::format_bpc(*p.loss))};
    if (range) {
      point.low = range->first;
      point.high = range->second;
      point.title += fmt::format(", {} {} to {}", p.interval ? "interval" : "anywhere from",
                                 render::format_bpc(range->first), render::format_bpc(range->second));
    }
    series.points.push_back(std::move(point));
  }
  if (!series.points.empty()) panel.series.push_back(std::move(series));
}

render::PlotPanel panel_at(const analysis::ReportInput& input, const analysis::GroupAnalysis& g, const Fixed& fixed,
                           ScalingAxis axis) {
  const bool params = axis == ScalingAxis::params;
  render::PlotPanel panel;
  const char* words = params ? g.table.measure.budgets() : g.table.measure.sizes();
  panel.title = fmt::format("{} {}{}", fixed.label, words, fixed.of_class ? "" : ": no run yet");
  panel.x = {params ? "parameters" : "training tokens", render::Scale::log, render::TickFormat::count, {}, {}};
  panel.y = {loss_title(g, "final validation loss"), render::Scale::linear, render::TickFormat::plain, {}, {}};
  for (size_t v = 0; v < g.table.variants.size(); ++v) {
    const std::string& variant = g.table.variants[v];
    const auto cells = cells_at(g, variant, fixed, axis);
    render::PlotSeries series = variant_series(v, variant);
    for (const analysis::ReportCell* cell : cells)
      series.points.push_back(cell_point(input, *cell, along(*cell, axis)));
    const analysis::LawFit* fit = law_for(g, variant, fixed, axis);
    if (fit != nullptr) add_law(panel, input, *fit, series.colour, fixed, axis, cells);
    // Without a law, the eye still wants to follow one variant; dotted, because nothing is claimed between the points.
    series.line = fit == nullptr;
    series.dash = render::Dash::dotted;
    if (!series.points.empty()) panel.series.push_back(std::move(series));
    if (fit != nullptr) add_predictions(panel, *fit, static_cast<int>(v) % render::kPaletteSize, fixed, axis);
  }
  return panel;
}

size_t points_of(const render::PlotPanel& panel) {
  size_t count = 0;
  for (const render::PlotSeries& series : panel.series)
    if (!series.small) count += series.points.size();
  return count;
}

// As many as a page holds, from one end to the other: of many those with the most to see, and those of targets.
std::vector<render::PlotPanel> spread_over(std::vector<render::PlotPanel> panels, const std::vector<bool>& of_target) {
  if (panels.size() <= kMostPanels) return panels;
  std::vector<size_t> counts;
  for (const render::PlotPanel& panel : panels) counts.push_back(points_of(panel));
  std::vector<size_t> sorted = counts;
  std::sort(sorted.rbegin(), sorted.rend());
  const size_t enough = std::min(sorted[kMostPanels - 1], (sorted[0] + 1) / 2);
  std::vector<size_t> full;
  for (size_t i = 0; i < panels.size(); ++i)
    if (of_target[i] || counts[i] >= enough) full.push_back(i);
  std::vector<render::PlotPanel> shown;
  for (size_t k = 0; k < kMostPanels; ++k)
    shown.push_back(std::move(panels[full[k * (full.size() - 1) / (kMostPanels - 1)]]));
  return shown;
}

}  // namespace

render::PlotSeries variant_series(size_t variant, const std::string& name) {
  static constexpr std::array kMarkers = {render::Marker::circle,  render::Marker::square, render::Marker::triangle,
                                          render::Marker::diamond, render::Marker::ring,   render::Marker::cross};
  render::PlotSeries series;
  series.name = name;
  series.colour = static_cast<int>(variant) % render::kPaletteSize;
  series.marker = kMarkers[variant % kMarkers.size()];
  series.line = false;
  return series;
}

render::PlotPoint cell_point(const analysis::ReportInput& input, const analysis::ReportCell& cell, double x) {
  render::PlotPoint point{x, cell.final_bpc.mean, {}, {}, ""};
  std::string spread;
  if (cell.final_bpc.half_width) {
    point.low = cell.final_bpc.mean - *cell.final_bpc.half_width;
    point.high = cell.final_bpc.mean + *cell.final_bpc.half_width;
    spread = fmt::format(" ± {} over {} seeds", render::format_bpc(*cell.final_bpc.half_width), cell.final_bpc.values);
  }
  point.title = fmt::format("{}, {} parameters, {} tokens: {}{} (run {}{})", cell.variant, format_count(cell.params),
                            format_count(cell.tokens), render::format_bpc(cell.final_bpc.mean), spread,
                            input.runs[cell.runs.front()].row.id, cell.runs.size() > 1 ? " …" : "");
  return point;
}

std::vector<render::PlotPanel> scaling_panels(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                                              ScalingAxis axis) {
  // One size (or budget) alone is a point, not a relation.
  const size_t values = axis == ScalingAxis::params ? g.table.sizes.size() : g.table.budgets.size();
  if (values < 2) return {};
  std::vector<render::PlotPanel> panels;
  std::vector<bool> of_target;
  for (const Fixed& fixed : fixed_values(input, g, axis)) {
    render::PlotPanel panel = panel_at(input, g, fixed, axis);
    if (points_of(panel) == 0) continue;
    panels.push_back(std::move(panel));
    of_target.push_back(!fixed.of_class);
  }
  return spread_over(std::move(panels), of_target);
}

std::string scaling_caption(const analysis::GroupAnalysis& g, const std::vector<render::PlotPanel>& panels,
                            ScalingAxis axis) {
  std::string caption;
  const size_t there = axis == ScalingAxis::params ? g.table.budgets.size() : g.table.sizes.size();
  if (panels.size() == kMostPanels && there > kMostPanels)
    caption += fmt::format(" Shown are {} of {}, of those with the most runs.", kMostPanels, there);
  const bool seeds = std::any_of(g.table.cells.begin(), g.table.cells.end(),
                                 [](const analysis::ReportCell& c) { return c.final_bpc.half_width.has_value(); });
  if (seeds) caption += " Bars: 95 % interval of the mean over seeds.";
  const auto any = [&](auto holds) {
    return std::any_of(panels.begin(), panels.end(), [&](const render::PlotPanel& panel) {
      return std::any_of(panel.series.begin(), panel.series.end(), holds);
    });
  };
  if (any([](const render::PlotSeries& s) { return s.small && s.points.size() > 1; }))
    caption += " Curves: the fitted law, solid between the measured runs and dashed where it extrapolates.";
  if (std::any_of(g.fits.begin(), g.fits.end(),
                  [](const analysis::LawFit& f) { return f.drawable() && !f.result.identified; }))
    caption += " Where the runs do not determine the law (see the fits), the curve is only one of many that would do.";
  if (any([](const render::PlotSeries& s) { return s.line && !s.small && s.points.size() > 1; }))
    caption += " Dotted lines only join the points of a variant.";
  return caption;
}

std::map<Place, std::vector<const analysis::ReportCell*>> cells_by_place(
    const analysis::GroupAnalysis& g, const std::function<bool(const analysis::ReportCell&)>& keep) {
  std::map<Place, std::vector<const analysis::ReportCell*>> places;
  for (const analysis::ReportCell& cell : g.table.cells) {
    if (!keep(cell)) continue;
    const auto v = std::find(g.table.variants.begin(), g.table.variants.end(), cell.variant) - g.table.variants.begin();
    places[{static_cast<size_t>(v), cell.size_class, cell.budget_class}].push_back(&cell);
  }
  return places;
}

}  // namespace bitsweep::report
