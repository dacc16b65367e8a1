// Variants against one of them at equal size and tokens: a dot and its interval each.
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/figures.h"
#include "report/findings.h"
#include "report/interval_words.h"
#include "report/scaling_panels.h"

namespace bitsweep::report {
namespace {

constexpr size_t kMostRows = 24;

using Place = std::pair<size_t, size_t>;  // size class, budget class

struct Compared {
  size_t variant = 0;  // into CellTable::variants, never the reference
  Place place;
  double change = 0;  // its loss − the reference's
  const analysis::VariantComparison* gap = nullptr;
};

// llama where it is compared with anything, else the variant of the most comparisons.
std::string reference_of(const analysis::GroupAnalysis& g) {
  std::string best;
  int64_t most = 0;
  for (const std::string& variant : g.table.variants) {
    int64_t count = std::count_if(
        g.variant_comparisons.begin(), g.variant_comparisons.end(), [&](const analysis::VariantComparison& gap) {
          return g.table.cells[gap.a].variant == variant || g.table.cells[gap.b].variant == variant;
        });
    if (count > 0 && variant == "llama") return variant;
    if (count > most) {
      most = count;
      best = variant;
    }
  }
  return best;
}

std::vector<Compared> comparisons_with(const analysis::GroupAnalysis& g, const std::string& reference) {
  std::vector<Compared> list;
  for (const analysis::VariantComparison& gap : g.variant_comparisons) {
    const analysis::ReportCell &a = g.table.cells[gap.a], &b = g.table.cells[gap.b];
    if (a.variant != reference && b.variant != reference) continue;
    const bool first = a.variant == reference;
    const std::string& other = first ? b.variant : a.variant;
    const auto at = std::find(g.table.variants.begin(), g.table.variants.end(), other) - g.table.variants.begin();
    list.push_back(
        {static_cast<size_t>(at), {a.size_class, a.budget_class}, first ? gap.change.mean : -gap.change.mean, &gap});
  }
  return list;
}

render::PlotPoint dot(const analysis::GroupAnalysis& g, const std::string& reference, const Compared& c, double row) {
  const analysis::ReportCell &a = g.table.cells[c.gap->a], &b = g.table.cells[c.gap->b];
  const analysis::ReportCell &mine = a.variant == reference ? b : a, &other = a.variant == reference ? a : b;
  render::PlotPoint point{c.change, row, {}, {}, ""};
  point.title = fmt::format("{} against {} at {} parameters and {} tokens: {}", mine.variant, reference,
                            format_count(mine.params), format_count(mine.tokens), render::format_delta(c.change));
  if (const auto half = c.gap->change.half_width) {
    point.low = c.change - *half;
    point.high = c.change + *half;
    point.title += spread_text(c.gap->change);
  }
  point.title += fmt::format(" ({} against {})", render::format_bpc(mine.final_bpc.mean),
                             render::format_bpc(other.final_bpc.mean));
  for (size_t i = 0; i < c.gap->also.size(); ++i)
    point.title += (i == 0 ? "; differs besides: " : ", ") + c.gap->also[i];
  return point;
}

std::string place_name(const analysis::GroupAnalysis& g, const Place& place, const char* between) {
  return g.table.sizes[place.first].label + between + g.table.budget_text(place.second);
}

render::PlotPanel empty_panel(const analysis::GroupAnalysis& g, std::string title, const std::string& reference,
                              const std::vector<std::string>& rows) {
  render::PlotPanel panel;
  panel.title = std::move(title);
  panel.x = {
      loss_title(g, fmt::format("loss − {}'s", reference)), render::Scale::linear, render::TickFormat::plain, {}, {}};
  panel.y.names = rows;
  render::PlotSeries zero{"", render::kNeutral, render::Marker::none, render::Dash::dashed, true, true, {}};
  zero.points = {{0, -0.5, {}, {}, ""}, {0, static_cast<double>(rows.size()) - 0.5, {}, {}, ""}};
  panel.series.push_back(std::move(zero));
  return panel;
}

template <typename T>
std::vector<T> last_of(const std::set<T>& values, size_t count) {
  std::vector<T> list(values.begin(), values.end());
  if (list.size() > count) list.erase(list.begin(), list.end() - static_cast<std::ptrdiff_t>(count));
  return list;
}

template <typename T>
std::optional<size_t> index_in(const std::vector<T>& list, const T& value) {
  const auto at = std::find(list.begin(), list.end(), value);
  if (at == list.end()) return std::nullopt;
  return static_cast<size_t>(at - list.begin());
}

// All panels on one scale, zero included.
void share_x(std::vector<render::PlotPanel>& panels) {
  double least = 0, most = 0;
  for (const render::PlotPanel& panel : panels) {
    for (const render::PlotSeries& series : panel.series) {
      for (const render::PlotPoint& p : series.points) {
        least = std::min({least, p.x, p.low.value_or(p.x)});
        most = std::max({most, p.x, p.high.value_or(p.x)});
      }
    }
  }
  const double air = std::max(0.06 * (most - least), 1e-4);
  for (render::PlotPanel& panel : panels) panel.x.least = least - air, panel.x.most = most + air;
}

// Rows are variants and panels places, or the other way round: whichever fills the panels.
std::vector<render::PlotPanel> gap_panels(const analysis::GroupAnalysis& g, const std::string& reference,
                                          const std::vector<Compared>& compared) {
  std::set<size_t> variants;
  std::set<Place> places;
  for (const Compared& c : compared) variants.insert(c.variant), places.insert(c.place);
  const bool rows_are_variants = variants.size() >= places.size();
  const std::vector<size_t> shown_variants(variants.begin(), variants.end());
  const std::vector<Place> shown_places = last_of(places, rows_are_variants ? kMostPanels : kMostRows);
  const size_t count = rows_are_variants ? shown_variants.size() : shown_places.size();
  const size_t rows_shown = std::min(count, kMostRows);
  std::vector<std::string> rows;  // from the bottom
  for (size_t i = rows_shown; i-- > 0;)
    rows.push_back(rows_are_variants ? g.table.variants[shown_variants[i]] : place_name(g, shown_places[i], ", "));
  std::vector<render::PlotPanel> panels;
  const size_t wanted = std::min(kMostPanels, rows_are_variants ? shown_places.size() : shown_variants.size());
  for (size_t k = 0; k < wanted; ++k)
    panels.push_back(empty_panel(g,
                                 rows_are_variants ? place_name(g, shown_places[k], " parameters, ")
                                                   : g.table.variants[shown_variants[k]] + " against " + reference,
                                 reference, rows));
  for (const Compared& c : compared) {
    const auto v = index_in(shown_variants, c.variant), p = index_in(shown_places, c.place);
    if (!v || !p) continue;
    const size_t row = rows_are_variants ? *v : *p, panel = rows_are_variants ? *p : *v;
    if (row >= rows_shown || panel >= panels.size()) continue;
    render::PlotSeries series = variant_series(c.variant, "");
    series.sideways = true;
    series.points.push_back(dot(g, reference, c, static_cast<double>(rows_shown - 1 - row)));
    panels[panel].series.push_back(std::move(series));
  }
  share_x(panels);
  return panels;
}

}  // namespace

std::optional<render::Figure> comparison_figure(const analysis::ReportInput&, const analysis::GroupAnalysis& g) {
  if (g.variant_comparisons.empty()) return std::nullopt;
  const std::string reference = reference_of(g);
  const std::vector<Compared> compared = comparisons_with(g, reference);
  render::Figure figure{"variants.svg", "Variant against variant", "", gap_panels(g, reference, compared), true};
  figure.caption =
      fmt::format("Final loss minus that of {} at equal {} and {}; left of the dashed line is better.", reference,
                  g.table.measure.body ? g.table.measure.sizes() : "size", g.table.measure.budgets());
  const auto bars = std::count_if(compared.begin(), compared.end(),
                                  [](const Compared& c) { return c.gap->change.half_width.has_value(); });
  const auto of_windows = std::count_if(compared.begin(), compared.end(),
                                        [](const Compared& c) { return c.gap->change.window_se.has_value(); });
  const auto alone =
      std::count_if(compared.begin(), compared.end(), [](const Compared& c) { return c.gap->change.windows_alone; });
  if (bars > 0)
    figure.caption +=
        fmt::format(" Bars: 95 % interval of the difference over {}.", alone == bars    ? "validation windows"
                                                                       : of_windows > 0 ? "seeds and validation windows"
                                                                                        : "seeds");
  if (alone > 0)
    figure.caption += alone == bars ? " One seed on a side each: what another seed does is not in them."
                                    : " With one seed on a side: over validation windows alone.";
  if (bars < static_cast<int64_t>(compared.size()))
    figure.caption += bars > 0 ? " Without a bar: one seed on a side." : " One seed on a side each: no intervals.";
  return figure;
}

}  // namespace bitsweep::report
