#include "report/comparison_section.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/units.h"
#include "render/format.h"
#include "report/confounds.h"
#include "report/findings.h"
#include "report/interval_words.h"

namespace bitsweep::report {
namespace {

constexpr size_t kMostComparedInFull = 3;  // variants; of more, not every pair is shown at once

// The variant the others are held against: llama where it is there, else the first.
std::string reference_of(const analysis::CellTable& table) {
  const auto llama = std::find_if(table.variants.begin(), table.variants.end(),
                                  [](const std::string& name) { return name.rfind("llama", 0) == 0; });
  return llama != table.variants.end() ? *llama : table.variants.front();
}

// Whether no third variant ends between the two at their size and budget.
bool are_neighbours(const analysis::CellTable& table, const analysis::VariantComparison& gap) {
  const analysis::ReportCell &a = table.cells[gap.a], &b = table.cells[gap.b];
  const auto [low, high] = std::minmax(a.final_bpc.mean, b.final_bpc.mean);
  return std::none_of(table.chosen.begin(), table.chosen.end(), [&, low = low, high = high](size_t c) {
    const analysis::ReportCell& cell = table.cells[c];
    return cell.size_class == a.size_class && cell.budget_class == a.budget_class && low < cell.final_bpc.mean &&
           cell.final_bpc.mean < high;
  });
}

std::string change_text(const analysis::CellChange& c) {
  return render::format_delta(c.change.mean) + spread_text(c.change);
}

template <typename Comparison>
bool any_p(const std::vector<Comparison>& comparisons) {
  return std::any_of(comparisons.begin(), comparisons.end(), [](const Comparison& c) { return c.p_holm.has_value(); });
}

// Rows of a file are known by their names.
bool has_names(const analysis::ReportInput& input) { return input.sweeps.empty(); }

std::string names_text(const analysis::ReportInput& input, const analysis::ReportCell& a,
                       const analysis::ReportCell& b) {
  return told_name(input, a) + " → " + told_name(input, b);
}

}  // namespace

std::string p_text(std::optional<double> p) {
  if (!p) return render::kNothing;
  return *p < 0.001 ? "< 0.001" : fmt::format("{:.3f}", *p);
}

std::vector<render::Block> comparisons_section(const analysis::GroupAnalysis& g, int level) {
  if (g.variant_comparisons.empty()) return {};
  std::vector<render::Block> out;
  out.emplace_back(render::Heading{level, "Variant against variant"});
  const analysis::Measure& measure = g.table.measure;
  const bool any_also = std::any_of(g.variant_comparisons.begin(), g.variant_comparisons.end(),
                                    [](const analysis::VariantComparison& gap) { return !gap.also.empty(); });
  render::Table t{{{"first"},
                   {"second"},
                   {measure.body ? "body params" : "params"},
                   {measure.bytes ? "bytes of text" : "tokens", render::Align::right},
                   {"losses"},
                   {"change", render::Align::right}},
                  {}};
  if (any_also) t.columns.push_back({"differs besides"});
  const bool corrected = any_p(g.variant_comparisons);
  if (corrected) t.columns.insert(t.columns.begin() + 6, {"p (Holm)", render::Align::right});
  render::Table rest{t.columns, {}};
  const bool fold = g.table.variants.size() > kMostComparedInFull;
  const std::string reference = reference_of(g.table);
  for (const analysis::VariantComparison& gap : g.variant_comparisons) {
    const analysis::ReportCell &a = g.table.cells[gap.a], &b = g.table.cells[gap.b];
    const std::string pa = format_count(measure.size(a)), pb = format_count(measure.size(b));
    const bool first = !fold || a.variant == reference || b.variant == reference || are_neighbours(g.table, gap);
    render::Table& to = first ? t : rest;
    to.rows.push_back({a.variant, b.variant, pa == pb ? pa : pa + " / " + pb, format_count(measure.budget(a)),
                       render::format_bpc(a.final_bpc.mean) + " / " + render::format_bpc(b.final_bpc.mean),
                       change_text(gap)});
    if (corrected) to.rows.back().push_back(p_text(gap.p_holm));
    if (any_also) to.rows.back().push_back(gap.also.empty() ? render::kNothing : listed(gap.also));
  }
  std::string told = fmt::format(
      "At equal {} and {}. The change is the second variant's final loss minus the first's: negative means that the "
      "second is better.",
      measure.body ? "body parameters (beside embedding and head)" : "size", measure.budgets());
  told += interval_sentence_of(g.variant_comparisons);
  if (corrected)
    told +=
        fmt::format(" p is of there being no difference, corrected for all {} (Holm); what has one seed has none.",
                    render::plural(static_cast<int64_t>(g.variant_comparisons.size()), "comparison", "comparisons"));
  if (!rest.empty())
    told += fmt::format(" Shown are comparisons with {} and between neighbours in the order of losses.", reference);
  out.emplace_back(render::Paragraph{told});
  out.emplace_back(render::TableBlock{.table = std::move(t), .file = "comparisons.csv"});
  if (!rest.empty()) {
    out.emplace_back(render::Paragraph{
        render::plural(static_cast<int64_t>(rest.rows.size()), "other comparison", "other comparisons") + ":"});
    out.emplace_back(render::TableBlock{.table = std::move(rest), .file = "comparisons.csv"});
  }
  return out;
}

render::Table steps_table(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                          const std::vector<analysis::ScalingStep>& steps, analysis::Along along) {
  const bool tokens = along == analysis::Along::tokens, corrected = any_p(steps), names = has_names(input);
  const bool any_also =
      std::any_of(steps.begin(), steps.end(), [](const analysis::ScalingStep& s) { return !s.also.empty(); });
  render::Table t{{{"variant"},
                   {tokens ? "params" : "tokens", render::Align::right},
                   {tokens ? "tokens" : "params"},
                   {"loss"},
                   {"change", render::Align::right},
                   {tokens ? "per doubling" : "per tenfold params", render::Align::right}},
                  {}};
  if (names) t.columns.insert(t.columns.begin() + 1, {"runs"});
  if (corrected) t.columns.push_back({"p (Holm)", render::Align::right});
  if (any_also) t.columns.push_back({"differs besides"});
  for (const analysis::ScalingStep& s : steps) {
    const analysis::ReportCell &a = g.table.cells[s.from], &b = g.table.cells[s.to];
    const auto pair = [&](double x, double y) { return format_count(x) + " → " + format_count(y); };
    t.rows.push_back({a.variant, format_count(tokens ? a.params : a.tokens),
                      tokens ? pair(a.tokens, b.tokens) : pair(a.params, b.params),
                      render::format_bpc(a.final_bpc.mean) + " → " + render::format_bpc(b.final_bpc.mean),
                      change_text(s), render::format_delta(s.per_unit)});
    std::vector<std::string>& row = t.rows.back();
    if (names) row.insert(row.begin() + 1, names_text(input, a, b));
    if (corrected) row.push_back(p_text(s.p_holm));
    if (any_also) row.push_back(s.also.empty() ? render::kNothing : listed(s.also));
  }
  return t;
}

std::vector<render::Block> batch_section(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                                         int level) {
  if (g.setting_steps.empty()) return {};
  const bool corrected = any_p(g.setting_steps);
  const bool wall = std::any_of(g.setting_steps.begin(), g.setting_steps.end(),
                                [](const analysis::SettingStep& s) { return s.wall_change.has_value(); });
  render::Table t{{{has_names(input) ? "runs" : "variant"},
                   {"params", render::Align::right},
                   {"tokens"},
                   {"tokens ×", render::Align::right},
                   {"loss"},
                   {"change", render::Align::right}},
                  {}};
  if (wall) t.columns.push_back({"wall-clock", render::Align::right});
  if (corrected) t.columns.push_back({"p (Holm)", render::Align::right});
  t.columns.push_back({"differs"});
  for (const analysis::SettingStep& s : g.setting_steps) {
    const analysis::ReportCell &a = g.table.cells[s.from], &b = g.table.cells[s.to];
    t.rows.push_back({has_names(input) ? names_text(input, a, b) : a.variant, format_count(b.params),
                      render::format_exact_count(a.tokens) + " → " + render::format_exact_count(b.tokens),
                      render::format_significant(s.tokens_ratio, 3),
                      render::format_bpc(a.final_bpc.mean) + " → " + render::format_bpc(b.final_bpc.mean),
                      change_text(s)});
    std::vector<std::string>& row = t.rows.back();
    if (wall) row.push_back(s.wall_change ? render::format_change(*s.wall_change) : render::kNothing);
    if (corrected) row.push_back(p_text(s.p_holm));
    row.push_back(s.also.empty() ? render::kNothing : listed(s.also));
  }
  std::vector<render::Block> out;
  out.emplace_back(render::Heading{level, "Batch against batch"});
  out.emplace_back(render::Paragraph{
      "At the same size, each batch against the next larger, where their tokens are nearest. A gain at more tokens is "
      "the gain of both together." +
      interval_sentence_of(g.setting_steps)});
  out.emplace_back(render::TableBlock{std::move(t)});
  return out;
}

namespace {

render::Table offsets_table(const analysis::ReportInput& input, const analysis::Analysis& analysis) {
  render::Table t{{{"first text"},
                   {"second text"},
                   {"variant"},
                   {"params", render::Align::right},
                   {"tokens", render::Align::right},
                   {"losses"},
                   {"offset", render::Align::right}},
                  {}};
  if (has_names(input)) t.columns.insert(t.columns.begin() + 2, {"runs"});
  for (const analysis::TextOffset& o : analysis.offsets) {
    const analysis::GroupAnalysis &g = analysis.groups[o.first_group], &h = analysis.groups[o.second_group];
    const analysis::ReportCell &a = g.table.cells[o.first], &b = h.table.cells[o.second];
    const std::string offset = render::format_delta(o.change.mean) + spread_text(o.change);
    t.rows.push_back({g.group.label, h.group.label, a.variant, format_count(a.params),
                      render::format_exact_count(a.tokens),
                      render::format_bpc(a.final_bpc.mean) + " / " + render::format_bpc(b.final_bpc.mean), offset});
    if (has_names(input)) t.rows.back().insert(t.rows.back().begin() + 2, names_text(input, a, b));
  }
  return t;
}

// "An offset is enough", or not, or who knows: by AICc, the lower the better.
std::string text_law_sentence(const analysis::TextLaw& law) {
  const fit::GroupingTest& test = law.test;
  const std::string who = fmt::format("{} on {} texts, {} runs", law.variant, law.groups.size(), law.runs);
  if (test.best.empty() || !test.margin)
    return who + ": too few sizes and budgets to tell whether the texts differ by a constant alone.";
  const double best = test.best == "grouped" ? *test.grouped : test.best == "separate" ? *test.separate : *test.pooled;
  const std::string lead = test.best == "grouped"    ? "one law whose constant alone differs from text to text"
                           : test.best == "separate" ? "a law of its own for each text"
                                                     : "one law for all texts, without an offset,";
  std::vector<std::string> others;
  const auto against = [&](const char* name, const char* what, const std::optional<double>& aicc) {
    if (test.best == name) return;
    others.push_back(aicc ? fmt::format("{} below {}", render::format_significant(*aicc - best, 2), what)
                          : fmt::format("while {} needs more runs", what));
  };
  against("pooled", "one law for all", test.pooled);
  against("grouped", "one law with a constant for each text", test.grouped);
  against("separate", "a law for each text", test.separate);
  // Two of it are a likelihood ratio of e.
  const char* weight = *test.margin < 4 ? " That is too little to choose by." : "";
  return fmt::format("{}: {} describes them best, its AICc {}.{}", who, lead, fmt::join(others, ", "), weight);
}

}  // namespace

std::vector<render::Block> offsets_section(const analysis::ReportInput& input, const analysis::Analysis& analysis) {
  if (analysis.offsets.empty() && analysis.text_laws.empty()) return {};
  std::vector<render::Block> out;
  out.emplace_back(render::Heading{2, "Text against text"});
  if (!analysis.offsets.empty()) {
    out.emplace_back(render::Paragraph{
        "The same model, size, tokens and settings on two texts: how much more there is to predict in the second. It "
        "tells texts apart, not models." +
        interval_sentence_of(analysis.offsets)});
    out.emplace_back(render::TableBlock{offsets_table(input, analysis)});
  }
  for (const analysis::TextLaw& law : analysis.text_laws) out.emplace_back(render::Paragraph{text_law_sentence(law)});
  return out;
}

namespace {

std::string exact(std::optional<double> value) { return value ? fmt::format("{}", *value) : ""; }

void csv_row(render::Table& t, const char* kind, const analysis::ReportInput& input, const analysis::ReportCell& a,
             const analysis::ReportCell& b, const analysis::CellChange& c, const std::vector<std::string>& also) {
  const auto runs = [&](const analysis::ReportCell& cell) {
    std::string text;
    for (const size_t r : cell.runs) text += (text.empty() ? "" : " ") + input.runs[r].row.id;
    return text;
  };
  t.rows.push_back({kind, a.variant, b.variant, exact(a.params), exact(b.params), exact(a.tokens), exact(b.tokens),
                    exact(a.final_bpc.mean), exact(b.final_bpc.mean), exact(c.change.mean), exact(c.change.half_width),
                    c.paired ? "true" : "false", exact(c.change.p), exact(c.p_holm),
                    fmt::format("{}", fmt::join(also, "; ")), runs(a), runs(b), interval_of(c.change),
                    exact(c.change.window_se)});
}

}  // namespace

std::string comparisons_csv(const analysis::ReportInput& input, const analysis::Analysis& analysis) {
  render::Table t;
  for (const char* name : {"kind", "first_variant", "second_variant", "first_params", "second_params", "first_tokens",
                           "second_tokens", "first_loss", "second_loss", "change", "half_width_95", "paired", "p",
                           "p_holm", "also_differs", "first_runs", "second_runs", "interval_of", "window_se"})
    t.columns.push_back({name});
  for (const analysis::GroupAnalysis& g : analysis.groups) {
    const auto& cells = g.table.cells;
    for (const analysis::ScalingStep& s : g.param_steps)
      csv_row(t, "params", input, cells[s.from], cells[s.to], s, s.also);
    for (const analysis::ScalingStep& s : g.token_steps)
      csv_row(t, "tokens", input, cells[s.from], cells[s.to], s, s.also);
    for (const analysis::SettingStep& s : g.setting_steps)
      csv_row(t, "batch", input, cells[s.from], cells[s.to], s, s.also);
    for (const analysis::Ablation& ablation : g.ablations)
      for (const analysis::Ablation::Place& place : ablation.places)
        csv_row(t, "setting", input, cells[place.a], cells[place.b], place,
                {ablation.setting + " " + ablation.from + " → " + ablation.to});
    for (const analysis::VariantComparison& v : g.variant_comparisons)
      csv_row(t, "variant", input, cells[v.a], cells[v.b], v, v.also);
  }
  for (const analysis::TextOffset& o : analysis.offsets)
    csv_row(t, "text", input, analysis.groups[o.first_group].table.cells[o.first],
            analysis.groups[o.second_group].table.cells[o.second], {o.change, false, {}}, {});
  return t.rows.empty() ? "" : csv_table(t);
}

}  // namespace bitsweep::report
