#include "report/report_json.h"

#include <cmath>
#include <optional>

#include "report/advice_sections.h"
#include "report/builds.h"
#include "report/claims_section.h"
#include "report/decision_block.h"
#include "report/findings.h"
#include "report/heads.h"
#include "report/interval_words.h"
#include "report/optimum_section.h"
#include "report/parameter_value_section.h"
#include "report/rules.h"
#include "report/setting_columns.h"
#include "report/setting_section.h"
#include "report/stored_section.h"

namespace bitsweep::report {
namespace {

json::array sentences(const std::vector<render::Text>& texts) {
  json::array list;
  for (const render::Text& text : texts) list.emplace_back(text.plain());
  return list;
}

json::object estimate_json(const analysis::Estimate& e) {
  return {{"mean", finite_or_null(e.mean)},
          {"values", e.values},
          {"sd", finite_or_null(e.sd)},
          {"half_width_95", finite_or_null(e.half_width)},
          {"window_se", finite_or_null(e.window_se)}};
}

// Of a difference: with what its interval is of.
json::object change_json(const analysis::Estimate& e) {
  json::object change = estimate_json(e);
  const std::string of = interval_of(e);
  change["interval_of"] = of.empty() ? json::value() : json::value(of);
  return change;
}

json::object dataset_json(const query::DatasetRow& d) {
  json::array orders;
  for (const double level : d.ngram_bpb) orders.push_back(finite_or_null(level));
  return {{"id", d.id},
          {"name", d.name},
          {"tokenizer", d.tokenizer},
          {"sha256", d.sha256},
          {"val_sha256", d.val_sha256},
          {"bytes", d.bytes},
          {"train_tokens", d.train_tokens},
          {"val_tokens", d.val_tokens},
          {"unknown_bytes", d.unknown_bytes},
          {"ngram_bpb", std::move(orders)},
          {"entropy_bpb", finite_or_null(d.entropy_bpb)}};
}

// On what the runs are scored on; `scored_bytes` null: on the whole validation part, where that is not known.
json::value yardsticks_json(const analysis::GroupAnalysis& g) {
  if (g.yardsticks.empty()) return nullptr;
  json::array orders;
  for (const double level : g.yardsticks) orders.push_back(finite_or_null(level));
  return json::object{{"ngram_bpb", std::move(orders)},
                      {"scored_bytes", g.scored_bytes > 0 ? json::value(g.scored_bytes) : json::value(nullptr)}};
}

json::object asked_json(const query::Asked& asked) {
  json::object object;
  for (const auto& [key, value] : asked) object[key] = value;
  return object;
}

json::array before_after_json(const analysis::GroupAnalysis& g) {
  const auto of = [](const std::optional<analysis::Estimate>& e) {
    return e ? json::value(estimate_json(*e)) : json::value(nullptr);
  };
  json::array list;
  for (const analysis::BeforeAfter& row : g.before_after)
    list.push_back(json::object{{"cell", row.cell},
                                {"metric", row.metric},
                                {"unit", row.kind.unit},
                                {"direction", direction_word(row.kind.better)},
                                {"before", of(row.before)},
                                {"after", of(row.after)},
                                {"change", of(row.change)},
                                {"asked", asked_json(row.asked)}});
  return list;
}

// As a mean of seeds, and what they were asked.
json::object task_json(const analysis::ReportInput& input, const analysis::TaskEstimate& e) {
  json::object object = estimate_json(e);
  json::array apart;
  for (const size_t r : e.apart) apart.emplace_back(input.runs[r].row.id);
  object["asked"] = asked_json(e.asked);
  if (!apart.empty()) object["asked_otherwise"] = std::move(apart);
  return object;
}

json::object cell_json(const analysis::ReportInput& input, const std::vector<SettingColumn>& settings,
                       const analysis::ReportCell& c) {
  json::array runs;
  for (const size_t r : c.runs) runs.emplace_back(input.runs[r].row.id);
  json::object cell{{"variant", c.variant},
                    {"params", finite_or_null(c.params)},
                    {"params_nonembedding", finite_or_null(c.params_nonembedding)},
                    {"tokens", finite_or_null(c.tokens)},
                    {"epochs", finite_or_null(c.epochs)},
                    {"flops", finite_or_null(c.flops)},
                    {"batch", finite_or_null(c.batch)},
                    {"lr", finite_or_null(c.lr)},
                    {"best_val_bpc", estimate_json(c.best_bpc)},
                    {"final_val_bpc", estimate_json(c.final_bpc)},
                    {"wall_s", finite_or_null(c.wall_s)},
                    {"tokens_per_s", finite_or_null(c.tokens_per_s)},
                    {"attempts", c.attempts},
                    {"runs", std::move(runs)}};
  json::object metrics;
  for (const auto& [name, value] : c.metrics) {
    if (name == "answer_accuracy")
      cell[name] = estimate_json(value);
    else
      metrics[name] = task_json(input, value);
  }
  if (!metrics.empty()) cell["metrics"] = std::move(metrics);
  json::object differs;  // from other cells
  for (const SettingColumn& setting : settings)
    if (const std::string* value = analysis::find_setting(c.factors, setting.path)) differs[setting.path] = *value;
  if (!differs.empty()) cell["settings"] = std::move(differs);
  return cell;
}

json::array steps_json(const std::vector<analysis::ScalingStep>& steps, const char* unit) {
  json::array list;
  for (const analysis::ScalingStep& s : steps)
    list.push_back(json::object{{"from", s.from},
                                {"to", s.to},
                                {"change", change_json(s.change)},
                                {unit, finite_or_null(s.per_unit)},
                                {"also_differs", strings_json(s.also)},
                                {"paired", s.paired},
                                {"p", finite_or_null(s.change.p)},
                                {"p_holm", finite_or_null(s.p_holm)}});
  return list;
}

json::array setting_steps_json(const std::vector<analysis::SettingStep>& steps) {
  json::array list;
  for (const analysis::SettingStep& s : steps)
    list.push_back(json::object{{"from", s.from},
                                {"to", s.to},
                                {"change", change_json(s.change)},
                                {"tokens_ratio", finite_or_null(s.tokens_ratio)},
                                {"wall_change", finite_or_null(s.wall_change)},
                                {"differs", strings_json(s.also)},
                                {"paired", s.paired},
                                {"p", finite_or_null(s.change.p)},
                                {"p_holm", finite_or_null(s.p_holm)}});
  return list;
}

json::array ablations_json(const std::vector<analysis::Ablation>& ablations) {
  json::array list;
  for (const analysis::Ablation& ablation : ablations) {
    json::array places;
    for (const analysis::Ablation::Place& place : ablation.places)
      places.push_back(json::object{{"from", place.a},
                                    {"to", place.b},
                                    {"change", change_json(place.change)},
                                    {"paired", place.paired},
                                    {"p", finite_or_null(place.change.p)},
                                    {"p_holm", finite_or_null(place.p_holm)}});
    list.push_back(json::object{{"variant", ablation.variant},
                                {"setting", ablation.setting},
                                {"from", ablation.from},
                                {"to", ablation.to},
                                {"change", change_json(ablation.change)},
                                {"places", std::move(places)}});
  }
  return list;
}

json::array offsets_json(const analysis::Analysis& analysis) {
  json::array list;
  for (const analysis::TextOffset& o : analysis.offsets)
    list.push_back(json::object{{"first_group", o.first_group},
                                {"first", o.first},
                                {"second_group", o.second_group},
                                {"second", o.second},
                                {"offset", change_json(o.change)}});
  return list;
}

json::array text_laws_json(const analysis::Analysis& analysis) {
  json::array list;
  for (const analysis::TextLaw& law : analysis.text_laws)
    list.push_back(json::object{{"variant", law.variant},
                                {"groups", json::array(law.groups.begin(), law.groups.end())},
                                {"runs", law.runs},
                                {"aicc_pooled", finite_or_null(law.test.pooled)},
                                {"aicc_grouped", finite_or_null(law.test.grouped)},
                                {"aicc_separate", finite_or_null(law.test.separate)},
                                {"best", law.test.best},
                                {"margin", finite_or_null(law.test.margin)}});
  return list;
}

json::array remarks_json(const std::vector<Remark>& remarks) {
  json::array list;
  for (const Remark& remark : remarks)
    list.push_back(json::object{{"rule", remark.rule}, {"message", remark.text.plain()}});
  return list;
}

json::array gaps_json(const std::vector<analysis::VariantComparison>& gaps) {
  json::array list;
  for (const analysis::VariantComparison& gap : gaps)
    list.push_back(json::object{{"first", gap.a},
                                {"second", gap.b},
                                {"change", change_json(gap.change)},
                                {"also_differs", strings_json(gap.also)},
                                {"paired", gap.paired},
                                {"p", finite_or_null(gap.change.p)},
                                {"p_holm", finite_or_null(gap.p_holm)}});
  return list;
}

json::array fits_json(const std::vector<analysis::LawFit>& fits) {
  json::array list;
  for (const analysis::LawFit& fit : fits) {
    json::object object = fit_json(fit.result);
    object["variant"] = fit.variant;
    if (!fit.longer.empty()) {
      fit::FitResult longer;
      longer.predictions = fit.longer;
      object["predictions_longer"] = fit_json(longer).at("predictions");
    }
    for (auto& [key, value] : verdict_json(fit.verdict)) object[key] = value;
    if (fit.verdict.adequacy.held_out) object["hold_out"] = hold_out_json(*fit.verdict.adequacy.held_out);
    if (fit.robustness) object["robustness"] = robustness_json(*fit.robustness);
    if (const auto millions = analysis::amplitude_in_millions(fit.result))
      object["A_with_params_in_millions"] = *millions;
    json::array points;
    for (size_t k = 0; k < fit.points.size(); ++k) {
      json::object point{{"run", fit.points[k].run},
                         {"params", finite_or_null(fit.points[k].params)},
                         {"tokens", finite_or_null(fit.points[k].tokens)},
                         {"loss", finite_or_null(fit.points[k].loss)}};
      if (k < fit.result.fits.size()) {
        point["fitted"] = finite_or_null(fit.result.fits[k].fitted);
        point["residual"] = finite_or_null(fit.result.fits[k].residual);
      }
      points.push_back(std::move(point));
    }
    object["runs"] = std::move(points);
    list.push_back(std::move(object));
  }
  return list;
}

json::array left_out_json(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  json::array list;
  for (size_t k = 0; k < g.group.runs.size(); ++k) {
    const query::RunRow& row = input.runs[g.group.runs[k]].row;
    const std::string reason = exclusion_reason(row);
    if (!reason.empty())
      list.push_back(json::object{{"run", row.id},
                                  {"variant", g.variant_of[k]},
                                  {"params", row.params},
                                  {"tokens", row.tokens},
                                  {"why", reason},
                                  {"step", row.step},
                                  {"last_val_bpc", finite_or_null(row.last_val_bpc)},
                                  {"message", row.message}});
  }
  return list;
}

json::array points_json(const std::vector<render::PlotPoint>& points) {
  json::array list;
  for (const render::PlotPoint& p : points) {
    json::array point{finite_or_null(p.x), finite_or_null(p.y)};
    if (p.low && p.high) point.push_back(finite_or_null(*p.low)), point.push_back(finite_or_null(*p.high));
    list.push_back(std::move(point));
  }
  return list;
}

json::object panel_json(const render::PlotPanel& panel) {
  json::array series, bands, cells, levels;
  for (const render::PlotSeries& s : panel.series)
    series.push_back(
        json::object{{"name", s.name}, {"dashed", s.dash != render::Dash::solid}, {"points", points_json(s.points)}});
  for (const render::PlotBand& b : panel.bands)
    bands.push_back(json::object{{"name", b.name}, {"points", points_json(b.points)}});
  for (const render::PlotCell& c : panel.cells)
    cells.push_back(json::object{{"x", c.x}, {"y", c.y}, {"value", finite_or_null(c.value)}});
  for (const render::PlotLevel& l : panel.levels)
    levels.push_back(json::object{{"name", l.name}, {"y", finite_or_null(l.y)}});
  json::object object{
      {"title", panel.title}, {"x", panel.x.label}, {"y", panel.y.label}, {"series", std::move(series)}};
  if (!bands.empty()) object["bands"] = std::move(bands);
  if (!cells.empty()) object["cells"] = std::move(cells);
  if (!levels.empty()) object["levels"] = std::move(levels);
  if (!panel.x.names.empty()) object["x_names"] = strings_json(panel.x.names);
  if (!panel.y.names.empty()) object["y_names"] = strings_json(panel.y.names);
  if (panel.beyond_from) object["beyond_from"] = finite_or_null(*panel.beyond_from);
  return object;
}

json::array figures_json(const GroupFigures& figures) {
  json::array list;
  for (const DrawnFigure& drawn : figures) {
    json::array panels;
    for (const render::PlotPanel& panel : drawn.figure.panels) panels.push_back(panel_json(panel));
    list.push_back(json::object{{"file", drawn.figure.file},
                                {"title", drawn.figure.title},
                                {"caption", drawn.figure.caption},
                                {"panels", std::move(panels)}});
  }
  return list;
}

}  // namespace

json::object report_json(const analysis::ReportInput& input, const analysis::Analysis& analysis,
                         const std::vector<GroupFigures>& figures, const std::vector<analysis::Decision>& decisions) {
  json::array groups, runs;
  std::vector<render::Text> summary = run_findings(input, analysis);
  for (size_t k = 0; k < analysis.groups.size(); ++k) {
    const analysis::GroupAnalysis& g = analysis.groups[k];
    json::array cells;
    const std::vector<SettingColumn> settings = setting_columns(g.table);
    for (const analysis::ReportCell& cell : g.table.cells) cells.push_back(cell_json(input, settings, cell));
    const std::vector<render::Text> findings = group_findings(g, group_doubts(input, g));
    summary.insert(summary.end(), findings.begin(), findings.end());
    groups.push_back(
        json::object{{"label", g.group.label},
                     {"context", g.group.context},
                     {"eval_windows", g.group.eval_windows},
                     {"eval_bytes", g.group.eval_bytes},
                     {"dataset", g.dataset != nullptr ? json::value(dataset_json(*g.dataset)) : json::value(nullptr)},
                     {"yardsticks", yardsticks_json(g)},
                     {"findings", sentences(findings)},
                     {"cells", std::move(cells)},
                     {"left_out", left_out_json(input, g)},
                     {"param_steps", steps_json(g.param_steps, "per_decade")},
                     {"token_steps", steps_json(g.token_steps, "per_doubling")},
                     {"batch_steps", setting_steps_json(g.setting_steps)},
                     {"ablations", ablations_json(g.ablations)},
                     {"equal_size", g.table.measure.sizes()},
                     {"equal_budget", g.table.measure.budgets()},
                     {"variant_gaps", gaps_json(g.variant_comparisons)},
                     {"before_after", before_after_json(g)},
                     {"fits", fits_json(g.fits)},
                     {"compute_optimal", optimum_json(g)},
                     {"setting_laws", setting_json(g)},
                     {"worth", parameter_value_json(g)},
                     {"recommended", recommendation_json(input, g)},
                     {"next_runs", next_runs_json(input, g)},
                     {"stored", stored_json(input, g)},
                     {"attention", heads_json(input, g)},
                     {"caveats", sentences(group_caveats(input, g))},
                     {"rules", remarks_json(group_remarks(input, g))},
                     {"missing", sentences(group_missing(input, g))},
                     {"figures", figures_json(figures[k])}});
  }
  for (const analysis::MeasuredRun& run : input.runs) runs.emplace_back(run.row.id);
  json::object document{{"name", input.name},
                        {"sweeps", strings_json(input.sweeps)},
                        {"source", input.source},
                        {"version", input.version},
                        {"decision", decision_json(input, analysis, decisions)},
                        {"summary", sentences(summary)},
                        {"groups", std::move(groups)},
                        {"not_compared", remarks_json(comparability_remarks(analysis))},
                        {"text_offsets", offsets_json(analysis)},
                        {"text_laws", text_laws_json(analysis)},
                        {"claims", claims_json(analysis)},
                        {"runs", std::move(runs)},
                        {"changes", changes_json(input, analysis)},
                        {"predictions", to_json(calibrate(input.predictions))}};
  if (input.loss) document["loss"] = to_json(*input.loss);  // what all losses of the document are
  if (input.checkpoints > 0) document["checkpoints"] = input.checkpoints;
  if (json::array outdated = outdated_json(input); !outdated.empty()) document["other_build"] = std::move(outdated);
  return document;
}

}  // namespace bitsweep::report
