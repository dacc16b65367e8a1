#include "report/ablation_section.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/comparison_section.h"
#include "report/findings.h"
#include "report/interval_words.h"

namespace bitsweep::report {
namespace {

std::string change_text(const analysis::Estimate& change) {
  return render::format_delta(change.mean) + spread_text(change);
}

std::string places_text(const analysis::Ablation& ablation) {
  return render::plural(static_cast<int64_t>(ablation.places.size()), "size and budget", "sizes and budgets");
}

render::Table ablations_table(const analysis::GroupAnalysis& g) {
  render::Table t{{{"variant"},
                   {"setting"},
                   {"from → to"},
                   {"places", render::Align::right},
                   {"change", render::Align::right},
                   {"least", render::Align::right},
                   {"most", render::Align::right}},
                  {}};
  for (const analysis::Ablation& ablation : g.ablations) {
    const auto [least, most] =
        std::minmax_element(ablation.places.begin(), ablation.places.end(),
                            [](const auto& x, const auto& y) { return x.change.mean < y.change.mean; });
    t.rows.push_back({ablation.variant, ablation.setting, ablation.from + " → " + ablation.to,
                      std::to_string(ablation.places.size()), change_text(ablation.change),
                      render::format_delta(least->change.mean), render::format_delta(most->change.mean)});
  }
  return t;
}

render::Table ablation_places_table(const analysis::GroupAnalysis& g) {
  const analysis::Measure& measure = g.table.measure;
  render::Table t{{{"variant"},
                   {"setting"},
                   {"from → to"},
                   {measure.body ? "body params" : "params", render::Align::right},
                   {measure.bytes ? "bytes of text" : "tokens", render::Align::right},
                   {"loss"},
                   {"change", render::Align::right},
                   {"p (Holm)", render::Align::right}},
                  {}};
  for (const analysis::Ablation& ablation : g.ablations)
    for (const analysis::Ablation::Place& place : ablation.places) {
      const analysis::ReportCell &a = g.table.cells[place.a], &b = g.table.cells[place.b];
      t.rows.push_back({ablation.variant, ablation.setting, ablation.from + " → " + ablation.to,
                        format_count(measure.size(a)), format_count(measure.budget(a)),
                        render::format_bpc(a.final_bpc.mean) + " → " + render::format_bpc(b.final_bpc.mean),
                        change_text(place.change), p_text(place.p_holm)});
    }
  return t;
}

}  // namespace

std::vector<render::Block> ablations_section(const analysis::GroupAnalysis& g, int level) {
  if (g.ablations.empty()) return {};
  std::vector<render::Block> out;
  out.emplace_back(render::Heading{level, "Setting against setting"});
  out.emplace_back(render::Paragraph{fmt::format(
      "Runs of one variant, of equal {} and {}, that differ in one setting alone. The change is the final loss with "
      "the "
      "second value minus that with the first, which is the one that was asked for first: negative means that the "
      "second is better. Over several places (sizes and budgets) it is their mean, each place being the mean of its "
      "seeds, and ± is the 95 % interval of that mean over places.",
      g.table.measure.body ? "body parameters" : "size", g.table.measure.budgets())});
  out.emplace_back(render::TableBlock{ablations_table(g)});
  std::vector<analysis::Ablation::Place> places;
  for (const analysis::Ablation& ablation : g.ablations)
    places.insert(places.end(), ablation.places.begin(), ablation.places.end());
  out.emplace_back(render::Paragraph{
      "Place by place." + interval_sentence_of(places) +
      fmt::format(" p is of there being no difference, corrected for all {} (Holm); what has one seed has none.",
                  render::plural(static_cast<int64_t>(places.size()), "comparison", "comparisons"))});
  out.emplace_back(render::TableBlock{.table = ablation_places_table(g), .file = "comparisons.csv"});
  return out;
}

std::vector<render::Text> ablation_findings(const analysis::GroupAnalysis& g) {
  std::vector<render::Text> out;
  for (const analysis::Ablation& ablation : g.ablations) {
    const analysis::Estimate& change = ablation.change;
    if (!change.half_width) continue;
    const char* what = std::abs(change.mean) <= *change.half_width ? "made no difference that shows to"
                       : change.mean < 0                           ? "lowered the loss of"
                                                                   : "raised the loss of";
    const std::string told =
        fmt::format("{} {} in place of {} {} {}: {} on the mean of {}.", ablation.setting, ablation.to, ablation.from,
                    what, ablation.variant, in_loss_unit(g, change_text(change)), places_text(ablation));
    out.emplace_back(with_loss_name(g, told));
  }
  return out;
}

}  // namespace bitsweep::report
