#include "report/before_after_section.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/units.h"
#include "render/format.h"
#include "report/findings.h"
#include "report/measured_section.h"
#include "report/run_table.h"
#include "report/setting_columns.h"

namespace bitsweep::report {
namespace {

using analysis::BeforeAfter;

bool is_own_loss(const BeforeAfter& row) { return row.metric == "val_bpc"; }

// "+0.412", of a fraction "+4.1 points".
std::string change_text(double change, const MetricKind& kind) {
  if (kind.unit != "fraction") return render::format_delta(change);
  return fmt::format("{}{:.1f} points", change > 0 ? "+" : change < 0 ? "−" : "", std::abs(100 * change));
}

std::string change_with_spread(const BeforeAfter& row) {
  if (!row.change) return render::kNothing;
  std::string text = change_text(row.change->mean, row.kind);
  if (!row.change->half_width) return text;
  return text + (row.kind.unit == "fraction" ? fmt::format(" ± {:.1f}", 100 * *row.change->half_width)
                                             : " ± " + render::format_bpc(*row.change->half_width));
}

// Fractions are shown as per cent.
std::string shown_unit(const std::string& unit) {
  return unit.empty() ? render::kNothing : unit == "fraction" ? "%" : unit;
}

render::Table table_of(const analysis::GroupAnalysis& g) {
  std::vector<SettingColumn> settings = setting_columns(g.table, true);
  settings.resize(std::min(settings.size(), kMostSettingColumns));
  std::map<std::string, std::vector<query::Asked>> asked;
  for (const BeforeAfter& row : g.before_after) asked[row.metric].push_back(row.asked);
  const std::map<std::string, AskedWords> words = asked_words(std::move(asked));
  render::Table t{{{"variant"}, {"params", render::Align::right}, {"tokens", render::Align::right}}, {}};
  for (const SettingColumn& setting : settings) t.columns.push_back({setting.title});
  for (const char* number : {"before", "after", "change"}) t.columns.push_back({number, render::Align::right});
  t.columns.insert(t.columns.end() - 3, {"of"});
  t.columns.insert(t.columns.end(), {{"unit"}, {"better"}});
  for (const BeforeAfter& row : g.before_after) {
    const analysis::ReportCell& cell = g.table.cells[row.cell];
    std::vector<std::string>& cells = t.rows.emplace_back();
    cells = {cell.variant, format_count(cell.params), format_count(cell.tokens)};
    for (const SettingColumn& setting : settings) cells.push_back(setting.text(cell));
    const std::string unit = is_own_loss(row) && !g.group.loss_unit.empty() ? g.group.loss_unit : row.kind.unit;
    cells.insert(cells.end(),
                 {row.metric, row.before ? metric_with_spread(*row.before, &row.kind) : render::kNothing,
                  metric_with_spread(row.after, &row.kind) + words.at(row.metric).of(row.asked),
                  change_with_spread(row), shown_unit(unit), std::string(direction_word(row.kind.better))});
  }
  return t;
}

// "base.bpc, from 3.401 to 3.377 (−0.024 bits per byte)"; of several configurations, of which.
std::string change_told(const analysis::GroupAnalysis& g, const BeforeAfter& row) {
  std::string text = fmt::format("{}, from {} to {} ({}", row.metric, metric_text(row.before->mean, &row.kind),
                                 metric_text(row.after.mean, &row.kind), change_text(row.change->mean, row.kind));
  if (row.kind.unit != "fraction" && !row.kind.unit.empty()) text += " " + row.kind.unit;
  if (!row.change->half_width) text += "; one seed";
  return text + (g.table.cells.size() > 1 ? "), by " + cell_name(g.table.cells[row.cell]) : ")");
}

// What no digit shows is no change, and what lies within the interval over seeds may be none.
bool is_told(const BeforeAfter& row) {
  if (row.change->half_width && std::abs(row.change->mean) <= *row.change->half_width) return false;
  return metric_text(row.before->mean, &row.kind) != metric_text(row.after.mean, &row.kind);
}

}  // namespace

std::vector<render::Block> before_after_section(const analysis::GroupAnalysis& g, int level) {
  if (g.before_after.empty()) return {};
  std::vector<render::Block> out;
  out.emplace_back(render::Heading{level, "Before and after"});
  const bool seeds = std::any_of(g.before_after.begin(), g.before_after.end(),
                                 [](const BeforeAfter& row) { return row.after.half_width.has_value(); });
  const bool some_without = std::any_of(g.before_after.begin(), g.before_after.end(),
                                        [](const BeforeAfter& row) { return !row.before.has_value(); });
  std::string text =
      "Before is the evaluation before the first step, after the last one; val_bpc is the validation loss, NAME.bpc "
      "that of a text beside (eval.also), the others are tasks.";
  if (some_without)
    text += fmt::format(
        " {} says what was not asked before the first step (eval.before asks; of tasks those at every "
        "evaluation).",
        render::kNothing);
  if (seeds) text += " ± is the 95 % interval of the mean over seeds.";
  out.emplace_back(render::Paragraph{text});
  out.emplace_back(render::TableBlock{table_of(g)});
  return out;
}

std::vector<render::Text> before_after_findings(const analysis::GroupAnalysis& g) {
  std::map<std::string, std::pair<const BeforeAfter*, const BeforeAfter*>> by_unit;  // worst, best
  for (const BeforeAfter& row : g.before_after) {
    if (is_own_loss(row) || !row.worse() || !is_told(row)) continue;
    auto& [worst, best] = by_unit[row.kind.unit];
    if (*row.worse() > 0 && (worst == nullptr || *row.worse() > *worst->worse())) worst = &row;
    if (*row.worse() < 0 && (best == nullptr || *row.worse() < *best->worse())) best = &row;
  }
  std::vector<render::Text> out;
  for (const auto& [unit, ends] : by_unit) {
    std::vector<std::string> parts;
    if (ends.first != nullptr) parts.push_back("largest forgetting: " + change_told(g, *ends.first));
    if (ends.second != nullptr) parts.push_back("largest gain: " + change_told(g, *ends.second));
    out.push_back(fmt::format("Beside the runs' own text, {}.", fmt::join(parts, "; ")));
  }
  return out;
}

}  // namespace bitsweep::report
