#include "report/measured_section.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/findings.h"
#include "report/layout.h"
#include "report/run_table.h"
#include "report/setting_columns.h"

namespace bitsweep::report {
namespace {

using render::Align;

constexpr const char* kAnswers = "answer_accuracy";

std::string with_spread(const analysis::Estimate& e) {
  return e.half_width ? render::format_bpc(e.mean) + " ± " + render::format_bpc(*e.half_width)
                      : render::format_bpc(e.mean);
}

std::string rate_text(std::optional<double> value) {
  return value ? render::format_significant(*value, 2) : render::kNothing;
}

// What every loss of the section is.
std::string losses_told(const analysis::GroupAnalysis& g) {
  if (const auto& loss = g.group.loss)
    return fmt::format("In the place of the validation loss stands {}: {}{}; {} is better.", loss->name,
                       loss->unit.empty() ? "" : loss->unit + "; ", loss->help, direction_word(loss->better));
  return g.group.loss_unit.empty() ? "The losses' unit was not told."
                                   : fmt::format("Losses are {} of the validation text.", g.group.loss_unit);
}

// What "answers right" is, and what chance gives, as the runs said at their start.
std::string answers_told(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  const json::object& start = input.runs[g.table.cells.front().runs.front()].start;
  std::string text =
      "Answers are the bytes of the validation windows that can be told from the window before them by induction; "
      "\"answers right\" is the fraction of them to which the model gives the highest probability";
  if (const double count = number_or(start, "val_answers", 0); count > 0)
    text += fmt::format(", out of {}", format_thousands(static_cast<int64_t>(count)));
  if (const double chance = number_or(start, "answer_chance", 0); chance > 0)
    text += fmt::format(". Chance is {:.1f} %", 100 * chance);
  return text + ".";
}

// By metric, how the rows were asked.
std::map<std::string, AskedWords> words_of(const analysis::CellTable& table) {
  std::map<std::string, std::vector<query::Asked>> asked;
  for (const analysis::ReportCell& c : table.cells)
    for (const auto& [name, value] : c.metrics) asked[name].push_back(value.asked);
  return asked_words(std::move(asked));
}

// What must be known before the columns of tasks are read as a ranking.
std::vector<render::Text> warnings(const analysis::ReportInput& input, const analysis::CellTable& table,
                                   const std::map<std::string, AskedWords>& words) {
  std::vector<render::Text> out;
  for (const auto& [name, asked] : words)
    if (!asked.differences().empty())
      out.push_back(fmt::format("{} was not asked alike in all rows (it differs in {}): it does not rank them.", name,
                                listed(asked.differences())));
  for (const analysis::ReportCell& c : table.cells)
    for (const auto& [name, value] : c.metrics) {
      if (value.apart.empty()) continue;
      std::vector<std::string> others;
      for (const size_t r : value.apart) {
        std::vector<query::Asked> both{analysis::asked_at(input.runs[r], name), value.asked};
        query::make_comparable(both);
        const std::string how = query::asked_text(both[0], query::asked_differences(both));
        others.push_back(input.runs[r].row.id + (how.empty() ? "" : " (" + how + ")"));
      }
      out.push_back(fmt::format("{} of {} is of {} alone: other seeds were not asked the same: {}.", name, cell_name(c),
                                render::plural(value.values, "seed", "seeds"), listed(others)));
    }
  return out;
}

// Columns in their order, one after another.
class MeasuredTable {
 public:
  explicit MeasuredTable(const analysis::CellTable& cells) : cells_(cells) { table_.rows.resize(cells.cells.size()); }

  template <typename Cell>
  void column(const std::string& title, Align align, Cell cell) {
    table_.columns.push_back({title, align});
    for (size_t k = 0; k < cells_.cells.size(); ++k) table_.rows[k].push_back(cell(cells_.cells[k]));
  }
  template <typename Cell>
  void number(const std::string& title, Cell cell) {
    column(title, Align::right, cell);
  }
  render::Table take() { return without_empty_columns(std::move(table_)); }

 private:
  const analysis::CellTable& cells_;
  render::Table table_;
};

render::Table table_of(const analysis::ReportInput& input, const analysis::CellTable& cells,
                       const std::map<std::string, AskedWords>& words, const std::vector<SettingColumn>& settings,
                       bool seeds) {
  using Cell = const analysis::ReportCell&;
  MeasuredTable t(cells);
  t.column("variant", Align::left, [](Cell c) { return c.variant; });
  t.number("params", [](Cell c) { return format_count(c.params); });
  t.number("tokens", [](Cell c) { return format_count(c.tokens); });
  t.number("epochs", [](Cell c) { return rate_text(c.epochs); });
  t.number("batch", [](Cell c) { return c.batch ? format_count(*c.batch) : render::kNothing; });
  t.number("LR", [](Cell c) { return rate_text(c.lr); });
  for (const SettingColumn& setting : settings)
    t.column(setting.title, Align::left, [&](Cell c) { return setting.text(c); });
  t.number("best", [](Cell c) { return with_spread(c.best_bpc); });
  t.number("final", [](Cell c) { return with_spread(c.final_bpc); });
  for (const auto& [name, asked] : words)
    t.number(name == kAnswers ? "answers right" : name, [&, &name = name, &asked = asked](Cell c) -> std::string {
      const auto found = c.metrics.find(name);
      if (found == c.metrics.end()) return render::kNothing;
      return metric_with_spread(found->second, input.kinds.find(name)) + asked.of(found->second.asked);
    });
  t.number("wall", [](Cell c) { return c.wall_s ? format_duration(*c.wall_s) : render::kNothing; });
  t.number("tok/s", [](Cell c) { return render::format_rate(c.tokens_per_s); });
  t.number("attempts", [](Cell c) { return c.attempts > 0 ? std::to_string(c.attempts) : render::kNothing; });
  if (seeds) t.number("seeds", [](Cell c) { return std::to_string(c.runs.size()); });
  return t.take();
}

}  // namespace

std::string metric_with_spread(const analysis::Estimate& e, const MetricKind* kind) {
  std::string text = metric_text(e.mean, kind);
  if (!e.half_width) return text;
  std::string spread = metric_text(*e.half_width, kind);
  if (spread.ends_with(" %")) spread.resize(spread.size() - 2);  // the mean says the unit
  return text + " ± " + spread;
}

AskedWords::AskedWords(std::vector<query::Asked> all) {
  query::make_comparable(all);
  differences_ = query::asked_differences(all);
  shown_ = differences_;
  if (std::find(shown_.begin(), shown_.end(), "step") == shown_.end()) shown_.emplace_back("step");
}

std::string AskedWords::of(const query::Asked& asked) const {
  const std::string text = query::asked_text(asked, shown_);
  return text.empty() ? "" : " (" + text + ")";
}

std::map<std::string, AskedWords> asked_words(std::map<std::string, std::vector<query::Asked>> asked) {
  std::map<std::string, AskedWords> words;
  for (auto& [metric, all] : asked) words.emplace(metric, AskedWords(std::move(all)));
  return words;
}

std::vector<render::Block> measured_section(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                                            int level) {
  std::vector<render::Block> out;
  out.emplace_back(render::Heading{level, "Measured runs"});
  if (g.table.cells.empty()) {
    out.emplace_back(render::Paragraph{"No run on this text has finished yet."});
    return out;
  }
  const bool seeds = std::any_of(g.table.cells.begin(), g.table.cells.end(),
                                 [](const analysis::ReportCell& c) { return c.runs.size() > 1; });
  const std::string text = g.group.label == "data not named" ? "" : fmt::format("Text: {}. ", g.group.label);
  out.emplace_back(
      render::Paragraph{text + losses_told(g) +
                        (seeds ? " ± is the 95 % interval of the mean over seeds. Time and speed are means." : "")});
  const std::map<std::string, AskedWords> words = words_of(g.table);
  if (words.contains(kAnswers)) out.emplace_back(render::Paragraph{answers_told(input, g)});
  std::vector<std::string> metrics;
  for (const auto& [name, asked] : words) metrics.push_back(name);
  for (const std::string& told : metrics_told(metrics, input.kinds))
    if (!told.starts_with(kAnswers)) out.emplace_back(render::Paragraph{told + "."});
  std::vector<SettingColumn> settings = setting_columns(g.table);
  render::TableBlock block{table_of(input, g.table, words, settings, seeds)};
  if (settings.size() > kMostSettingColumns) {
    block.wider = std::move(block.table);
    settings.resize(kMostSettingColumns);
    block.table = table_of(input, g.table, words, settings, seeds);
  }
  out.emplace_back(std::move(block));
  if (std::vector<render::Text> told = warnings(input, g.table, words); !told.empty())
    out.emplace_back(render::BulletList{std::move(told)});
  return out;
}

}  // namespace bitsweep::report
