#include "report/worth.h"

#include <algorithm>

#include <fmt/format.h>

#include "report/analysis.h"
#include "render/format.h"

namespace bitsweep {

namespace {

ParameterCost cost_of(const ReportInput& input, const GroupAnalysis& g, const std::string& variant) {
  const ReportCell* largest = nullptr;
  for (const ReportCell& cell : g.table.cells)
    if (cell.variant == variant && (largest == nullptr || cell.params > largest->params)) largest = &cell;
  ParameterCost cost;
  if (largest == nullptr || !(largest->params > 0)) return cost;
  const double bytes = number_or(input.runs[largest->runs.front()].start, "stored_bytes", 0);
  if (bytes > 0) cost.stored_bytes = bytes / largest->params;
  if (largest->flops && *largest->flops > 0 && largest->tokens > 0)
    cost.flops = *largest->flops / largest->tokens / largest->params;
  return cost;
}

std::optional<double> against(double eff, std::optional<double> cost, std::optional<double> of_reference) {
  return cost && of_reference ? std::optional(eff * *of_reference / *cost) : std::nullopt;
}

std::vector<WorthRow> rows_of(const ReportInput& input, const GroupAnalysis& g, const Worth& worth) {
  if (!worth.result.identified) return {};
  const ParameterCost reference = cost_of(input, g, worth.reference);
  std::vector<WorthRow> rows{{worth.reference, 1, {}, reference, {}, {}}};
  for (const std::string& variant : g.table.variants) {
    const std::string name = "eff(" + variant + ")";
    const auto eff = worth.result.param(name);
    if (!eff) continue;
    WorthRow row{variant, *eff, {}, cost_of(input, g, variant), {}, {}};
    if (const auto range = worth.result.intervals.find(name); range != worth.result.intervals.end())
      row.interval = range->second;
    rows.push_back(std::move(row));
  }
  for (WorthRow& row : rows) {
    row.per_byte = against(row.eff, row.cost.stored_bytes, reference.stored_bytes);
    row.per_flop = against(row.eff, row.cost.flops, reference.flops);
  }
  return rows;
}

std::string number_text(std::optional<double> value) { return value ? format_significant(*value, 3) : kNothing; }

}  // namespace

std::optional<Worth> parameter_worth(const ReportInput& input, const GroupAnalysis& g) {
  if (g.table.variants.size() < 2) return std::nullopt;
  std::vector<Point> points;
  for (const std::string& variant : g.table.variants)
    for (const LawFit& fit : g.fits)
      if (fit.variant == variant && !fit.budget_class && !fit.size_class) {
        points.insert(points.end(), fit.points.begin(), fit.points.end());
        break;
      }
  if (points.empty()) return std::nullopt;
  Worth worth;
  const auto llama = std::find_if(g.table.variants.begin(), g.table.variants.end(),
                                  [](const std::string& name) { return name.rfind("llama", 0) == 0; });
  worth.reference = llama != g.table.variants.end() ? *llama : g.table.variants.front();
  FitOptions options;
  options.law = "precision", options.reference = worth.reference;
  options.second_opinions = false;
  worth.result = fit_law(points, options);
  worth.rows = rows_of(input, g, worth);
  return worth;
}

std::vector<Block> worth_section(const GroupAnalysis& g, int level) {
  if (!g.worth) return {};
  const FitResult& r = g.worth->result;
  std::vector<Block> blocks;
  blocks.emplace_back(Heading{level, "What a parameter is worth"});
  blocks.emplace_back(
      Paragraph{Text("One law through all variants, ").code(r.formula.empty() ? "precision" : r.formula) << fmt::format(
                    ": a parameter of a variant does as much as eff parameters of {}, which is 1 by definition.",
                    g.worth->reference)});
  Table t{{{"variant"}, {"eff", Align::right}, {"95 % interval", Align::right}}, {}};
  const auto has = [&](auto member) {
    return std::any_of(g.worth->rows.begin(), g.worth->rows.end(),
                       [&](auto& row) { return (row.*member).has_value(); });
  };
  const bool bytes = has(&WorthRow::per_byte), flops = has(&WorthRow::per_flop);
  if (bytes) t.columns.push_back({"for its stored bytes", Align::right});
  if (flops) t.columns.push_back({"for its FLOPs", Align::right});
  for (const WorthRow& row : g.worth->rows) {
    t.rows.push_back({row.variant, format_significant(row.eff, 3),
                      row.interval ? format_significant(row.interval->first, 3) + " to " +
                                         format_significant(row.interval->second, 3)
                                   : kNothing});
    if (bytes) t.rows.back().push_back(number_text(row.per_byte));
    if (flops) t.rows.back().push_back(number_text(row.per_flop));
  }
  if (!t.empty()) blocks.emplace_back(TableBlock{std::move(t)});
  if (!g.worth->rows.empty() && (bytes || flops))
    blocks.emplace_back(Paragraph{fmt::format(
        "\"For its stored bytes\" and \"for its FLOPs\": eff over what a parameter takes as it is stored, "
        "and in training a token, at the largest size that was run; {} is 1. Above 1, the same bytes, or the "
        "same compute, do more than in {}.",
        g.worth->reference, g.worth->reference)});
  BulletList reasons;
  for (const std::string& sentence : r.refused) reasons.items.emplace_back(sentence + ".");
  for (const std::string& sentence : r.warnings) reasons.items.emplace_back(sentence + ".");
  if (!r.identified) blocks.emplace_back(Paragraph{"The runs do not determine it, so no figure is claimed:"});
  if (!reasons.items.empty()) blocks.emplace_back(std::move(reasons));
  return blocks;
}

json::value worth_json(const GroupAnalysis& g) {
  if (!g.worth) return nullptr;
  json::object object = fit_json(g.worth->result);
  object["reference"] = g.worth->reference;
  json::array rows;
  for (const WorthRow& row : g.worth->rows)
    rows.push_back(json::object{{"variant", row.variant},
                                {"eff", finite_or_null(row.eff)},
                                {"stored_bytes_per_param", finite_or_null(row.cost.stored_bytes)},
                                {"flops_per_param_token", finite_or_null(row.cost.flops)},
                                {"per_stored_byte", finite_or_null(row.per_byte)},
                                {"per_flop", finite_or_null(row.per_flop)}});
  object["variants"] = std::move(rows);
  return object;
}

}  // namespace bitsweep
