#include "report/sections.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/ablation_section.h"
#include "report/advice_sections.h"
#include "report/before_after_section.h"
#include "report/claims_section.h"
#include "report/comparison_section.h"
#include "report/decision_block.h"
#include "report/findings.h"
#include "report/fitted_laws_section.h"
#include "report/heads.h"
#include "report/interval_words.h"
#include "report/layout.h"
#include "report/measured_section.h"
#include "report/optimum_section.h"
#include "report/parameter_value_section.h"
#include "report/prediction_section.h"
#include "report/provenance.h"
#include "report/rules.h"
#include "report/sets_section.h"
#include "report/setting_section.h"
#include "report/stored_section.h"

namespace bitsweep::report {
namespace {

class GroupSections {
 public:
  GroupSections(const analysis::ReportInput& input, const analysis::GroupAnalysis& g, const GroupFigures& figures,
                int level, std::vector<render::Block>& out)
      : input_(input), g_(g), figures_(figures), level_(level), out_(out) {}

  void write() {
    append(measured_section(input_, g_, level_));
    for (const char* kind : {"curves", "rates", "surface"}) figure(kind);
    excluded();
    yardsticks();
    append(before_after_section(g_, level_));
    scaling();
    append(batch_section(input_, g_, level_));
    append(ablations_section(g_, level_));
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

  void excluded();
  void yardsticks();
  void scaling();

  const analysis::ReportInput& input_;
  const analysis::GroupAnalysis& g_;
  const GroupFigures& figures_;
  int level_;
  std::vector<render::Block>& out_;
};

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
