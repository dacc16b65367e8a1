#include "report/sections.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/advice_sections.h"
#include "report/claims_section.h"
#include "report/comparison_section.h"
#include "report/decision_block.h"
#include "report/findings.h"
#include "report/fitted_laws_section.h"
#include "report/heads.h"
#include "report/interval_words.h"
#include "report/layout.h"
#include "report/optimum_section.h"
#include "report/parameter_value_section.h"
#include "report/prediction_section.h"
#include "report/provenance.h"
#include "report/rules.h"
#include "report/run_table.h"
#include "report/sets_section.h"
#include "report/setting_section.h"
#include "report/stored_section.h"

namespace bitsweep::report {
namespace {

constexpr const char* kAnswers = "answer_accuracy";

class GroupSections {
 public:
  GroupSections(const analysis::ReportInput& input, const analysis::GroupAnalysis& g, const GroupFigures& figures,
                int level, std::vector<render::Block>& out)
      : input_(input), g_(g), figures_(figures), level_(level), out_(out) {}

  void write() {
    measured();
    excluded();
    yardsticks();
    scaling();
    append(batch_section(input_, g_, level_));
    append(comparisons_section(g_, level_));
    figure("variants");
    append(stored_section(input_, g_, level_));
    append(heads_section(input_, g_, figures_, level_));
    append(fitted_laws_section(g_, level_));
    figure("residuals");
    append(parameter_value_section(g_, level_));
    for (const char* kind : {"contours", "isoflop"}) figure(kind);
    append(optimum_section(g_, level_));
    figure("frontier");
    append(predictions_section(g_, level_));
    figure("prediction");
    append(setting_section(g_, level_));
    figure("tuning");
    append(recommendation_section(input_, g_, level_));
    append(next_runs_section(input_, g_, level_));
    bullets("Keep in mind", group_caveats(input_, g_));
    bullets("What is missing", group_missing(input_, g_));
  }

 private:
  void append(std::vector<render::Block> blocks) {
    for (render::Block& block : blocks) out_.push_back(std::move(block));
  }
  void heading(const char* text) { out_.emplace_back(render::Heading{level_, text}); }
  void paragraph(render::Text text) { out_.emplace_back(render::Paragraph{std::move(text)}); }
  void table(render::Table table) { out_.emplace_back(render::TableBlock{std::move(table)}); }
  // All of its rows are in that file too.
  void comparisons(render::Table t) {
    out_.emplace_back(render::TableBlock{.table = std::move(t), .file = "comparisons.csv"});
  }
  void bullets(const char* title, std::vector<render::Text> items) {
    if (items.empty()) return;
    heading(title);
    out_.emplace_back(render::BulletList{std::move(items)});
  }

  void figure(std::string_view kind) {
    for (const DrawnFigure& f : figures_)
      if (f.figure.file.rfind(kind, 0) == 0)
        out_.emplace_back(render::FigureBlock{f.figure.file, f.figure.title, f.figure.caption, f.svg});
  }

  void measured();
  std::set<std::string> task_metrics() const;
  std::string losses_told() const;
  void answers_told();
  void tasks_told(const std::set<std::string>& metrics);
  void excluded();
  void yardsticks();
  void scaling();

  const analysis::ReportInput& input_;
  const analysis::GroupAnalysis& g_;
  const GroupFigures& figures_;
  int level_;
  std::vector<render::Block>& out_;
};

std::string with_spread(const analysis::Estimate& e) {
  return e.half_width ? render::format_bpc(e.mean) + " ± " + render::format_bpc(*e.half_width)
                      : render::format_bpc(e.mean);
}

std::string metric_with_spread(const analysis::Estimate& e, const MetricKind* kind) {
  std::string text = metric_text(e.mean, kind);
  if (!e.half_width) return text;
  std::string spread = metric_text(*e.half_width, kind);
  if (spread.ends_with(" %")) spread.resize(spread.size() - 2);  // the mean says the unit
  return text + " ± " + spread;
}

std::string rate_text(std::optional<double> value) {
  return value ? render::format_significant(*value, 2) : render::kNothing;
}

std::set<std::string> GroupSections::task_metrics() const {
  std::set<std::string> names;
  for (const analysis::ReportCell& c : g_.table.cells)
    for (const auto& [name, value] : c.metrics) names.insert(name);
  return names;
}

// What every loss of the section is.
std::string GroupSections::losses_told() const {
  if (const auto& loss = g_.group.loss)
    return fmt::format("In the place of the validation loss stands {}: {}{}; {} is better.", loss->name,
                       loss->unit.empty() ? "" : loss->unit + "; ", loss->help, direction_word(loss->better));
  return g_.group.loss_unit.empty() ? "The losses' unit was not told."
                                    : fmt::format("Losses are {} of the validation text.", g_.group.loss_unit);
}

// What "answers right" is, and what chance gives, as the runs said at their start.
void GroupSections::answers_told() {
  const json::object& start = input_.runs[g_.table.cells.front().runs.front()].start;
  std::string text =
      "Answers are the bytes of the validation windows that can be told from the window before them by induction; "
      "\"answers right\" is the fraction of them to which the model gives the highest probability";
  if (const double count = number_or(start, "val_answers", 0); count > 0)
    text += fmt::format(", out of {}", format_thousands(static_cast<int64_t>(count)));
  if (const double chance = number_or(start, "answer_chance", 0); chance > 0)
    text += fmt::format(". Chance is {:.1f} %", 100 * chance);
  paragraph(text + ".");
}

void GroupSections::tasks_told(const std::set<std::string>& metrics) {
  if (metrics.contains(kAnswers)) answers_told();
  const std::vector<std::string> others = metrics_told({metrics.begin(), metrics.end()}, input_.kinds);
  for (const std::string& told : others)
    if (!told.starts_with(kAnswers)) paragraph(told + ".");
}

void GroupSections::measured() {
  heading("Measured runs");
  if (g_.table.cells.empty()) return paragraph("No run on this text has finished yet.");
  const bool seeds = std::any_of(g_.table.cells.begin(), g_.table.cells.end(),
                                 [](const analysis::ReportCell& c) { return c.runs.size() > 1; });
  const std::string text = g_.group.label == "data not named" ? "" : fmt::format("Text: {}. ", g_.group.label);
  paragraph(text + losses_told() +
            (seeds ? " ± is the 95 % interval of the mean over seeds. Time and speed are means." : ""));
  const std::set<std::string> metrics = task_metrics();
  tasks_told(metrics);
  render::Table t;
  t.columns = {{"variant"},
               {"params", render::Align::right},
               {"tokens", render::Align::right},
               {"epochs", render::Align::right},
               {"batch", render::Align::right},
               {"LR", render::Align::right},
               {"best", render::Align::right},
               {"final", render::Align::right},
               {"wall", render::Align::right},
               {"tok/s", render::Align::right},
               {"attempts", render::Align::right}};
  constexpr int kAfterLosses = 8;
  int at = kAfterLosses;
  for (const std::string& name : metrics)
    t.columns.insert(t.columns.begin() + at++, {name == kAnswers ? "answers right" : name, render::Align::right});
  if (seeds) t.columns.push_back({"seeds", render::Align::right});
  for (const analysis::ReportCell& c : g_.table.cells) {
    t.rows.push_back({c.variant, format_count(c.params), format_count(c.tokens), rate_text(c.epochs),
                      c.batch ? format_count(*c.batch) : render::kNothing, rate_text(c.lr), with_spread(c.best_bpc),
                      with_spread(c.final_bpc), c.wall_s ? format_duration(*c.wall_s) : render::kNothing,
                      render::format_rate(c.tokens_per_s),
                      c.attempts > 0 ? std::to_string(c.attempts) : render::kNothing});
    std::vector<std::string>& row = t.rows.back();
    at = kAfterLosses;
    for (const std::string& name : metrics) {
      const auto found = c.metrics.find(name);
      row.insert(row.begin() + at++, found == c.metrics.end()
                                         ? render::kNothing
                                         : metric_with_spread(found->second, input_.kinds.find(name)));
    }
    if (seeds) row.push_back(std::to_string(c.runs.size()));
  }
  table(without_empty_columns(std::move(t)));
  figure("curves");
  figure("rates");
  figure("surface");
}

void GroupSections::excluded() {
  render::Table t{{{"run"},
                   {"variant"},
                   {"params", render::Align::right},
                   {"tokens", render::Align::right},
                   {"why"},
                   {"reached", render::Align::right},
                   {"last loss", render::Align::right},
                   {"message"}},
                  {}};
  for (size_t k = 0; k < g_.group.runs.size(); ++k) {
    const query::RunRow& row = input_.runs[g_.group.runs[k]].row;
    const std::string reason = exclusion_reason(row);
    if (reason.empty()) continue;
    t.rows.push_back({row.id, g_.variant_of[k], format_count(static_cast<double>(row.params)),
                      format_count(static_cast<double>(row.tokens)), reason, fmt::format("{}/{}", row.step, row.steps),
                      render::format_bpc(row.last_val_bpc), row.message.substr(0, 120)});
  }
  if (t.empty()) return;
  paragraph("These runs are listed, and left out of every comparison and fit:");
  table(std::move(t));
}

void GroupSections::yardsticks() {
  if (g_.yardsticks.empty()) return;
  out_.emplace_back(render::Heading{level_ + 1, "Yardsticks"});
  const std::string where =
      g_.scored_bytes > 0
          ? fmt::format("exactly the {} bytes of {} that the runs are scored on", format_thousands(g_.scored_bytes),
                        g_.dataset->name)
          : fmt::format("the whole validation text of {}, of which runs are scored on a part", g_.dataset->name);
  paragraph(fmt::format("Count models (n-grams, interpolated) on {}: what a table of counts achieves.", where));
  render::Table t{{{"model"},
                   {"bits per byte", render::Align::right},
                   {"beaten by", render::Align::right},
                   {"smallest that beats it"}},
                  {}};
  for (size_t order = g_.yardsticks.size(); order-- > 0;) {  // the strongest first
    const double level = g_.yardsticks[order];
    int64_t beaten = 0;
    const analysis::ReportCell* smallest = nullptr;
    for (const analysis::ReportCell& c : g_.table.cells) {
      if (!(c.final_bpc.mean < level)) continue;
      ++beaten;
      if (smallest == nullptr || c.params < smallest->params ||
          (c.params == smallest->params && c.tokens < smallest->tokens))
        smallest = &c;
    }
    t.rows.push_back({fmt::format("order {}", order), render::format_bpc(level),
                      fmt::format("{} of {}", beaten, g_.table.cells.size()),
                      smallest != nullptr ? cell_name(*smallest) : render::kNothing});
  }
  if (g_.dataset->entropy_bpb)
    t.rows.push_back({"entropy rate of the source", render::format_bpc(*g_.dataset->entropy_bpb), render::kNothing,
                      render::kNothing});
  out_.emplace_back(render::TableBlock{.table = std::move(t), .worth = render::TableBlock::Worth::whole});
}

void GroupSections::scaling() {
  if (g_.token_steps.empty() && g_.param_steps.empty()) return;
  heading("Scaling relations");
  if (!g_.param_steps.empty()) {
    paragraph("Parameters, at the same tokens:" + interval_sentence_of(g_.param_steps));
    comparisons(steps_table(input_, g_, g_.param_steps, analysis::Along::params));
  }
  figure("params");
  if (!g_.token_steps.empty()) {
    paragraph("Tokens, at the same size:" + interval_sentence_of(g_.token_steps));
    comparisons(steps_table(input_, g_, g_.token_steps, analysis::Along::tokens));
  }
  figure("tokens");
  for (const char* kind : {"compute", "wall"}) figure(kind);
}

void summary(const analysis::ReportInput& input, const analysis::Analysis& analysis, std::vector<render::Block>& out) {
  std::vector<render::Text> items = summary_findings(input, analysis);
  if (items.empty()) return;
  out.emplace_back(render::Heading{2, "Summary"});
  out.emplace_back(render::BulletList{std::move(items)});
}

}  // namespace

render::Document make_document(const analysis::ReportInput& input, const analysis::Analysis& analysis,
                               const std::vector<GroupFigures>& figures,
                               const std::vector<analysis::Decision>& decisions) {
  render::Document document{"Scaling report: " + input.name + (input.loss ? ", by " + input.loss->name : ""), {}};
  const bool several = analysis.groups.size() > 1;
  for (render::Block& block : decision_block(input, analysis, decisions)) document.blocks.push_back(std::move(block));
  summary(input, analysis, document.blocks);
  if (several) document.blocks.emplace_back(render::TableBlock{sets_table(analysis)});
  for (render::Block& block : changes_section(input, analysis)) document.blocks.push_back(std::move(block));
  for (size_t k = 0; k < analysis.groups.size(); ++k) {
    const analysis::GroupAnalysis& g = analysis.groups[k];
    if (several) {
      document.blocks.emplace_back(render::Heading{2, g.group.label});
      document.blocks.emplace_back(render::BulletList{decision_texts(input, analysis, decisions[k])});
      if (std::vector<render::Text> found = group_findings(g, group_doubts(input, g)); !found.empty())
        document.blocks.emplace_back(render::BulletList{std::move(found)});
    }
    GroupSections(input, g, figures[k], several ? 3 : 2, document.blocks).write();
  }
  for (render::Block& block : offsets_section(input, analysis)) document.blocks.push_back(std::move(block));
  for (render::Block& block : claims_section(analysis)) document.blocks.push_back(std::move(block));
  for (render::Block& block : prediction_section(input)) document.blocks.push_back(std::move(block));
  append_provenance(input, analysis, document.blocks);
  lay_out(document, {"Decision", "Summary", "Keep in mind"});
  return document;
}

}  // namespace bitsweep::report
