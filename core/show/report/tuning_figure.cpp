// The best rate and the best batch of each place that was tuned, with the law through them.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/figures.h"
#include "report/scaling_panels.h"

namespace bitsweep::report {
namespace {

using analysis::SettingLaw;
using analysis::SettingOptimum;
using analysis::SettingPlace;
using analysis::SettingPower;
using analysis::Tuning;
using render::PlotPoint;
using render::PlotSeries;

constexpr double kTwoSided = 1.96;  // standard errors to 95 %
constexpr int kLineSteps = 24;

// What of a place a panel shows: the rate against size, a line a budget, or the batch against tokens, a line a size.
struct Shown {
  const char* setting;
  const char* along;  // the axis
  bool rate;
  const std::optional<SettingOptimum>& best(const SettingPlace& p) const { return rate ? p.lr : p.batch; }
  Tuning tuning(const SettingPlace& p) const { return rate ? p.lr_tuning : p.batch_tuning; }
  double tried(const SettingPlace& p) const { return rate ? p.best_lr : p.best_batch; }
  double x(const SettingPlace& p) const { return rate ? p.params : p.tokens; }
  double other(const SettingPlace& p) const { return rate ? p.tokens : p.params; }
  size_t line(const SettingPlace& p) const { return rate ? p.budget_class : p.size_class; }
  std::string line_name(const SettingPlace& p) const {
    return rate ? format_count(p.tokens) + " tokens" : format_count(p.params);
  }
  std::string text(double value) const {
    return rate ? render::format_significant(value, 2) : format_count(std::round(value));
  }
};

PlotPoint found_point(const Shown& shown, const SettingPlace& p) {
  const SettingOptimum& best = *shown.best(p);
  const double value = std::exp(best.log_value), factor = std::exp(kTwoSided * best.sd);
  return {shown.x(p), value, value / factor, value * factor,
          fmt::format("{} on {}: {} {} ({} to {})", format_count(p.params), format_count(p.tokens), shown.setting,
                      shown.text(value), shown.text(value / factor), shown.text(value * factor))};
}

// The law at what the points of a line share, over the points' extent.
PlotSeries law_line(const Shown& shown, const SettingPower& law, const std::vector<const SettingPlace*>& places,
                    double other, int colour) {
  PlotSeries line{"", colour, render::Marker::none, render::Dash::solid, true, false, {}};
  const auto [least, most] =
      std::minmax_element(places.begin(), places.end(), [&](auto* a, auto* b) { return shown.x(*a) < shown.x(*b); });
  for (int k = 0; k <= kLineSteps; ++k) {
    const double x =
        shown.x(**least) * std::pow(shown.x(**most) / shown.x(**least), static_cast<double>(k) / kLineSteps);
    line.points.push_back({x, shown.rate ? law.at(x, other).value : law.at(other, x).value, {}, {}, ""});
  }
  return line;
}

std::optional<render::PlotPanel> panel_of(const Shown& shown, const SettingLaw& law, bool named) {
  const std::optional<SettingPower>& power = shown.rate ? law.lr : law.batch;
  std::map<size_t, std::vector<const SettingPlace*>> lines;
  std::vector<const SettingPlace*> all;
  for (const SettingPlace& p : law.places)
    if (shown.tuning(p) != Tuning::none && shown.tuning(p) != Tuning::pair) {
      lines[shown.line(p)].push_back(&p);
      all.push_back(&p);
    }
  if (!power) return std::nullopt;
  render::PlotPanel panel{named ? law.variant : "",
                          {shown.along, render::Scale::log, render::TickFormat::count, {}, {}},
                          {std::string("best ") + shown.setting, render::Scale::log, render::TickFormat::plain, {}, {}},
                          {},
                          {},
                          {}};
  size_t rank = 0;
  for (const auto& [line, places] : lines) {
    const int colour = render::ramp_colour(rank++, lines.size());
    PlotSeries found{
        shown.line_name(*places.front()), colour, render::Marker::circle, render::Dash::solid, false, false, {}};
    PlotSeries bounds{"", colour, render::Marker::ring, render::Dash::solid, false, false, {}};
    for (const SettingPlace* p : places) {
      if (shown.best(*p))
        found.points.push_back(found_point(shown, *p));
      else
        bounds.points.push_back({shown.x(*p),
                                 shown.tried(*p),
                                 {},
                                 {},
                                 fmt::format("{} on {}: best of what was tried, {}", format_count(p->params),
                                             format_count(p->tokens), shown.text(shown.tried(*p)))});
    }
    if (found.points.size() > 1)
      panel.series.push_back(law_line(shown, *power, places, shown.other(*places.front()), colour));
    panel.series.push_back(std::move(found));
    if (!bounds.points.empty()) panel.series.push_back(std::move(bounds));
  }
  const bool drawn = std::any_of(panel.series.begin(), panel.series.end(), [](const PlotSeries& s) { return s.line; });
  if (!drawn)  // no two places share a line: the law at their middle
    panel.series.push_back(
        law_line(shown, *power, all, std::exp(shown.rate ? power->log_tokens : power->log_params), render::kNeutral));
  return panel;
}

}  // namespace

std::optional<render::Figure> tuning_figure(const analysis::ReportInput&, const analysis::GroupAnalysis& g) {
  render::Figure figure{
      "tuning.svg",
      "The best rates and batches",
      "The best learning rate against parameters, a colour a token budget, and the best batch against "
      "tokens, a colour a size, where enough places were tuned for a law. Bars: 95 %. Rings: the best "
      "of what was tried, at its end or without a bend. Lines: the law, grey where it is that of the middle place.",
      {},
      false};
  for (const SettingLaw& law : g.setting_laws)
    for (const Shown& shown : {Shown{"learning rate", "parameters", true}, Shown{"batch", "tokens", false}})
      if (auto panel = panel_of(shown, law, g.setting_laws.size() > 1);
          panel && figure.panels.size() < kMostVariantPanels)
        figure.panels.push_back(std::move(*panel));
  if (figure.panels.empty()) return std::nullopt;
  return figure;
}

}  // namespace bitsweep::report
