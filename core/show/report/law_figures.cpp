// Figures of the joint law: contours over sizes and tokens, and slices of equal compute.
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
namespace {

using analysis::GroupAnalysis;
using analysis::LawFit;
using analysis::ReportInput;
using render::Figure;
using render::PlotPanel;
using render::PlotSeries;

constexpr size_t kLevels = 6, kSlices = 6, kLawSlices = 4;
constexpr double kSameCompute = 1.05, kSlicesApart = 1.5;
constexpr double kLittleBeyond = 3;  // as far as slices go beyond the tokens that were run
constexpr int kCurvePoints = 48;

const LawFit* drawn_law(const GroupAnalysis& g, const std::string& variant) {
  for (const LawFit& fit : g.fits)
    if (fit.variant == variant && fit.law == "chinchilla" && fit.drawable()) return &fit;
  return nullptr;
}

double logarithmic(double from, double to, int i, int n) {
  return from * std::pow(to / from, static_cast<double>(i) / (n - 1));
}

struct Range {
  double least = HUGE_VAL, most = 0;
  void take(double value) { least = std::min(least, value), most = std::max(most, value); }
};

PlotSeries runs_of(const ReportInput& input, const GroupAnalysis& g, size_t variant, double analysis::ReportCell::*y) {
  PlotSeries runs = variant_series(variant, g.table.variants[variant]);
  for (const size_t c : g.table.chosen) {
    const analysis::ReportCell& cell = g.table.cells[c];
    if (cell.variant != g.table.variants[variant] || !(cell.params > 0) || !(cell.tokens > 0)) continue;
    render::PlotPoint point = cell_point(input, cell, cell.params);
    point.y = cell.*y;
    point.low = point.high = std::nullopt;
    runs.points.push_back(std::move(point));
  }
  return runs;
}

// Tokens at which the law has this loss at this size; nothing where no number of tokens will do.
std::optional<double> tokens_at(const LawFit& fit, double params, double loss) {
  const double rest =
      loss - *fit.result.param("E") - *fit.result.param("A") / std::pow(params, *fit.result.param("alpha"));
  const double B = *fit.result.param("B"), beta = *fit.result.param("beta");
  if (!(rest > 0) || !(B > 0) || !(beta > 0)) return std::nullopt;
  return std::pow(B / rest, 1 / beta);
}

// Each contour's loss where it is farthest from all markers and other words; none where there is no room.
void label_contours(PlotPanel& panel, const std::vector<std::string>& names) {
  const auto place = [](const render::PlotAxis& axis, double value) {
    return std::log(value / *axis.least) / std::log(*axis.most / *axis.least);
  };
  std::vector<std::pair<double, double>> taken;
  for (const PlotSeries& series : panel.series) {
    if (series.marker == render::Marker::none && series.dash == render::Dash::solid) continue;
    for (const render::PlotPoint& p : series.points) taken.push_back({place(panel.x, p.x), place(panel.y, p.y)});
  }
  // The contours come first, in the order of their names.
  for (size_t k = 0; k < names.size(); ++k) {
    const PlotSeries& series = panel.series[k];
    double best = 0.06;
    std::optional<render::PlotNote> note;
    for (const render::PlotPoint& p : series.points) {
      const double x = place(panel.x, p.x), y = place(panel.y, p.y);
      if (x < 0.08 || x > 0.92 || y < 0.05 || y > 0.95) continue;
      double room = HUGE_VAL;
      for (const auto& [u, v] : taken) room = std::min(room, std::hypot(0.7 * (x - u), y - v));
      if (room > best) {
        best = room;
        note = render::PlotNote{p.x, p.y, names[k]};
      }
    }
    if (!note) continue;
    taken.push_back({place(panel.x, note->x), place(panel.y, note->y)});
    panel.notes.push_back(std::move(*note));
  }
}

PlotPanel contour_panel(const ReportInput& input, const GroupAnalysis& g, size_t variant, const LawFit& fit) {
  PlotPanel panel{g.table.variants[variant],
                  {"parameters", render::Scale::log, render::TickFormat::count, {}, {}},
                  {"training tokens", render::Scale::log, render::TickFormat::count, {}, {}},
                  {},
                  {},
                  {}};
  Range params, tokens, losses;
  for (size_t k = 0; k < fit.points.size(); ++k) {
    params.take(fit.points[k].params), tokens.take(fit.points[k].tokens);
    losses.take(fit.result.fits[k].fitted);
  }
  panel.x.least = params.least / 2;
  panel.x.most = params.most * 2;
  panel.y.least = tokens.least / 2;
  panel.y.most = tokens.most * 2;
  std::vector<std::string> names;
  for (size_t level = 0; level < kLevels; ++level) {
    const double loss = losses.least + (losses.most - losses.least) * (static_cast<double>(level) + 0.5) / kLevels;
    PlotSeries contour{
        "", render::ramp_colour(kLevels - 1 - level, kLevels), render::Marker::none, render::Dash::solid, true, true,
        {}};
    for (int i = 0; i < kCurvePoints; ++i) {
      const double n = logarithmic(*panel.x.least, *panel.x.most, i, kCurvePoints);
      if (const auto d = tokens_at(fit, n, loss); d && *d<1e3 * *panel.y.most&& * d> 1e-3 * *panel.y.least)
        contour.points.push_back({n,
                                  *d,
                                  {},
                                  {},
                                  fmt::format("fitted loss {} at {} parameters and {} tokens", render::format_bpc(loss),
                                              format_count(n), format_count(*d))});
    }
    names.push_back(render::format_bpc(loss));
    panel.series.push_back(std::move(contour));
  }
  for (const analysis::ComputeOptimum& optimum : g.optima) {
    if (optimum.variant != fit.variant) continue;
    PlotSeries best{
        "best division of compute", render::kNeutral, render::Marker::none, render::Dash::dashed, true, true, {}};
    for (const analysis::FrontierPoint& p : optimum.path)
      best.points.push_back({p.params, p.flops / optimum.flops_per_nd / p.params, {}, {}, ""});
    panel.series.push_back(std::move(best));
  }
  panel.series.push_back(runs_of(input, g, variant, &analysis::ReportCell::tokens));
  label_contours(panel, names);
  return panel;
}

// Runs of one variant whose training FLOPs are equal within a few per cent.
struct Slice {
  double flops = 0;  // of the first
  std::vector<const analysis::ReportCell*> cells;
  size_t sizes() const {
    std::set<size_t> classes;
    for (const analysis::ReportCell* cell : cells) classes.insert(cell->size_class);
    return classes.size();
  }
};

// As many as a figure holds, those with most runs first, none so near to another that their runs mingle.
std::vector<Slice> fullest_apart(std::vector<Slice> slices) {
  std::sort(slices.begin(), slices.end(), [](const Slice& a, const Slice& b) {
    return a.cells.size() != b.cells.size() ? a.cells.size() > b.cells.size() : a.flops > b.flops;
  });
  std::vector<Slice> kept;
  for (Slice& slice : slices) {
    const auto near = [&](const Slice& other) {
      return std::abs(std::log(slice.flops / other.flops)) < std::log(kSlicesApart);
    };
    if (kept.size() < kSlices && std::none_of(kept.begin(), kept.end(), near)) kept.push_back(std::move(slice));
  }
  std::sort(kept.begin(), kept.end(), [](const Slice& a, const Slice& b) { return a.flops < b.flops; });
  return kept;
}

// Those that are drawn; the budgets of others into `left_out`.
std::vector<Slice> slices_of(const GroupAnalysis& g, const std::string& variant, std::set<double>* left_out = nullptr) {
  std::vector<const analysis::ReportCell*> cells;
  for (const size_t c : g.table.chosen) {
    const analysis::ReportCell& cell = g.table.cells[c];
    if (cell.variant == variant && training_flops(cell) > 0) cells.push_back(&cell);
  }
  std::stable_sort(cells.begin(), cells.end(),
                   [](auto* a, auto* b) { return training_flops(*a) < training_flops(*b); });
  std::vector<Slice> slices;
  for (const analysis::ReportCell* cell : cells) {
    if (slices.empty() || training_flops(*cell) > kSameCompute * slices.back().flops)
      slices.push_back({training_flops(*cell), {}});
    slices.back().cells.push_back(cell);
  }
  const auto few = [](const Slice& slice) { return slice.sizes() < 3; };
  slices.erase(std::remove_if(slices.begin(), slices.end(), few), slices.end());
  std::vector<Slice> kept = fullest_apart(slices);
  for (const Slice& slice : slices)
    if (left_out != nullptr && std::none_of(kept.begin(), kept.end(), [&](auto& k) { return k.flops == slice.flops; }))
      left_out->insert(slice.flops);
  return kept;
}

// The budgets of all slices of a group, ascending: one that is about another's is the same. Where nobody has a slice:
// from the least compute that was run to the most.
std::vector<double> budgets_of_slices(const GroupAnalysis& g) {
  std::vector<double> all, distinct;
  for (const std::string& variant : g.table.variants)
    for (const Slice& slice : slices_of(g, variant)) all.push_back(slice.flops);
  std::sort(all.begin(), all.end());
  for (const double flops : all)
    if (distinct.empty() || flops > kSameCompute * distinct.back()) distinct.push_back(flops);
  if (!distinct.empty()) return distinct;
  Range flops;
  for (const analysis::ReportCell& cell : g.table.cells)
    if (training_flops(cell) > 0) flops.take(training_flops(cell));
  for (size_t k = 0; k < kLawSlices && flops.most > flops.least; ++k)
    distinct.push_back(logarithmic(flops.least, flops.most, static_cast<int>(k), kLawSlices));
  return distinct;
}

// Of a slice among all: its colour, the same in every panel, and its name.
std::pair<int, std::string> look_of(const std::vector<double>& budgets, double flops) {
  size_t nearest = 0;
  for (size_t k = 1; k < budgets.size(); ++k)
    if (std::abs(std::log(budgets[k] / flops)) < std::abs(std::log(budgets[nearest] / flops))) nearest = k;
  return {render::ramp_colour(nearest, budgets.size()), render::format_significant(budgets[nearest], 2) + " FLOPs"};
}

// The law where the compute is that of the slice, over the sizes that were run.
PlotSeries law_at(const LawFit& fit, const Slice& slice, int colour) {
  Range params;
  double per_nd = 0;  // FLOPs of a parameter and token
  for (const analysis::ReportCell* cell : slice.cells) {
    params.take(cell->params);
    per_nd += training_flops(*cell) / (cell->params * cell->tokens) / static_cast<double>(slice.cells.size());
  }
  std::vector<fit::Target> at;
  for (int i = 0; i < kCurvePoints; ++i) {
    fit::Target target;
    target.params = logarithmic(params.least / 1.3, params.most * 1.3, i, kCurvePoints);
    target.tokens = slice.flops / per_nd / target.params;
    at.push_back(target);
  }
  PlotSeries curve{"", colour, render::Marker::none, render::Dash::solid, true, true, {}};
  const std::vector<double> losses = fit.losses(at);
  for (size_t i = 0; i < at.size(); ++i) curve.points.push_back({at[i].params, losses[i], {}, {}, ""});
  return curve;
}

// Nothing where no three sizes were run at one compute.
std::optional<PlotPanel> slice_panel(const ReportInput& input, const GroupAnalysis& g, const std::string& variant,
                                     const std::vector<double>& budgets) {
  const std::vector<Slice> slices = slices_of(g, variant);
  if (slices.empty()) return std::nullopt;
  PlotPanel panel{variant,
                  {"parameters", render::Scale::log, render::TickFormat::count, {}, {}},
                  {loss_title(g, "final validation loss"), render::Scale::linear, render::TickFormat::plain, {}, {}},
                  {},
                  {},
                  {}};
  const LawFit* fit = drawn_law(g, variant);
  for (size_t k = 0; k < slices.size(); ++k) {
    const auto [colour, name] = look_of(budgets, slices[k].flops);
    if (fit != nullptr) panel.series.push_back(law_at(*fit, slices[k], colour));
    PlotSeries runs{name, colour, render::Marker::circle, render::Dash::dotted, fit == nullptr, false, {}};
    for (const analysis::ReportCell* cell : slices[k].cells)
      runs.points.push_back(cell_point(input, *cell, cell->params));
    std::stable_sort(runs.points.begin(), runs.points.end(),
                     [](const render::PlotPoint& p, const render::PlotPoint& q) { return p.x < q.x; });
    panel.series.push_back(std::move(runs));
  }
  return panel;
}

bool curve_misses(const frontier::Division& best, const Range& params, const Range& tokens) {
  return best.params < params.least / 1.3 || best.params > params.most * 1.3 ||
         best.tokens < tokens.least / kLittleBeyond || best.tokens > tokens.most * kLittleBeyond;
}

// Where runs share no compute: the law alone, at budgets from the least to the largest that was run, with its lowest
// points.
std::optional<PlotPanel> law_slice_panel(const GroupAnalysis& g, const std::string& variant,
                                         const std::vector<double>& budgets) {
  const auto optimum = std::find_if(g.optima.begin(), g.optima.end(), [&](auto& o) { return o.variant == variant; });
  const LawFit* fit = drawn_law(g, variant);
  if (optimum == g.optima.end() || fit == nullptr) return std::nullopt;
  Range params, tokens;
  for (const fit::Point& p : fit->points) {
    params.take(p.params), tokens.take(p.tokens);
  }
  PlotPanel panel{variant,
                  {"parameters", render::Scale::log, render::TickFormat::count, {}, {}},
                  {loss_title(g, "final validation loss"), render::Scale::linear, render::TickFormat::plain, {}, {}},
                  {},
                  {},
                  {}};
  const frontier::JointLaw law = frontier::joint_law(fit->result.params);
  for (const double budget : budgets) {
    const auto [colour, name] = look_of(budgets, budget);
    PlotSeries curve{name, colour, render::Marker::none, render::Dash::solid, true, true, {}};
    for (int i = 0; i < kCurvePoints; ++i) {
      const double n = logarithmic(params.least / 1.3, params.most * 1.3, i, kCurvePoints);
      const double d = budget / optimum->flops_per_nd / n;
      if (d > tokens.least / kLittleBeyond && d < tokens.most * kLittleBeyond)
        curve.points.push_back({n, law.loss(n, d), {}, {}, ""});
    }
    if (!curve.points.empty()) panel.series.push_back(std::move(curve));
    const auto best = law.divide(budget, optimum->flops_per_nd);
    if (!best || curve_misses(*best, params, tokens)) continue;
    PlotSeries lowest{"", colour, render::Marker::ring, render::Dash::solid, false, false, {}};
    lowest.points.push_back(
        {best->params,
         best->loss,
         {},
         {},
         fmt::format("{}: {} at {} parameters and {} tokens, by the law", name, render::format_bpc(best->loss),
                     format_count(best->params), format_count(best->tokens))});
    panel.series.push_back(std::move(lowest));
  }
  return panel;
}

template <typename Make>
std::vector<PlotPanel> panels_of(const ReportInput& input, const GroupAnalysis& g, Make make) {
  std::vector<PlotPanel> panels;
  for (size_t v = 0; v < g.table.variants.size() && panels.size() < kMostPanels; ++v)
    if (const LawFit* fit = drawn_law(g, g.table.variants[v])) panels.push_back(make(input, g, v, *fit));
  return panels;
}

std::string not_determined(const GroupAnalysis& g) {
  const bool any = std::any_of(g.fits.begin(), g.fits.end(), [](const LawFit& f) {
    return f.law == "chinchilla" && f.drawable() && !f.result.identified;
  });
  return any ? " Where the runs do not determine the law (see the fits), this is only one of many that would do." : "";
}

}  // namespace

std::optional<Figure> contour_figure(const ReportInput& input, const GroupAnalysis& g) {
  Figure figure{"contours.svg", "The fitted law over sizes and tokens", "", panels_of(input, g, contour_panel), true};
  if (figure.panels.empty()) return std::nullopt;
  figure.share_y = false;
  figure.caption = "Lines of equal fitted loss, deeper is lower; markers are the measured runs." + not_determined(g);
  return figure;
}

std::optional<Figure> slice_figure(const ReportInput& input, const GroupAnalysis& g) {
  Figure figure{"isoflop.svg", "Slices of equal compute", "", {}, true};
  bool law = false, measured = false;
  std::vector<std::string> alone;
  const std::vector<double> budgets = budgets_of_slices(g);
  std::vector<std::string> no_room;
  std::set<double> left_out;
  for (const std::string& variant : g.table.variants) {
    if (figure.panels.size() == kMostPanels) {
      no_room.push_back(variant);
      continue;
    }
    std::optional<PlotPanel> panel = slice_panel(input, g, variant, budgets);
    if (panel) {
      measured = true;
      slices_of(g, variant, &left_out);
      law |= drawn_law(g, variant) != nullptr;
    } else {
      panel = law_slice_panel(g, variant, budgets);
      if (panel) alone.push_back(variant);
    }
    if (panel) figure.panels.push_back(std::move(*panel));
  }
  if (figure.panels.empty()) return std::nullopt;
  if (measured)
    figure.caption = "Final validation loss against parameters of runs that took the same training compute within 5 %.";
  if (law) figure.caption += " Curves: the fitted law at that compute." + not_determined(g);
  if (!alone.empty())
    figure.caption += fmt::format(
        "{}No three sizes of {} were run at one compute, so that its curves are the fitted law alone, over about the "
        "sizes and tokens that were run; rings mark where it is lowest.",
        measured ? " " : "", listed(alone));
  std::vector<std::string> budgets_left_out;
  for (const double flops : left_out) budgets_left_out.push_back(render::format_significant(flops, 2));
  if (!budgets_left_out.empty())
    figure.caption +=
        fmt::format(" Not drawn, so that the others can be told apart: {} FLOPs.", listed(budgets_left_out));
  if (!no_room.empty()) figure.caption += fmt::format(" No room for {}.", listed(no_room));
  return figure;
}

}  // namespace bitsweep::report
