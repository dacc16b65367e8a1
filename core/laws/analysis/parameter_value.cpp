#include "analysis/parameter_value.h"

#include <algorithm>

#include "analysis/analysis.h"
#include "analysis/stored.h"

namespace bitsweep::analysis {

namespace {

ParameterCost cost_of(const ReportInput& input, const GroupAnalysis& g, const std::string& variant) {
  const ReportCell* largest = nullptr;
  for (const ReportCell& cell : g.table.cells)
    if (cell.variant == variant && (largest == nullptr || cell.params > largest->params)) largest = &cell;
  ParameterCost cost;
  if (largest == nullptr || !(largest->params > 0)) return cost;
  const MeasuredRun& run = input.runs[largest->runs.front()];
  if (const auto size = stored_size(run.start, run.row.params))
    cost.stored_bytes = static_cast<double>(size->bytes) / largest->params;
  if (largest->flops && *largest->flops > 0 && largest->tokens > 0)
    cost.flops = *largest->flops / largest->tokens / largest->params;
  return cost;
}

std::optional<double> against(double eff, std::optional<double> cost, std::optional<double> of_reference) {
  return cost && of_reference ? std::optional(eff * *of_reference / *cost) : std::nullopt;
}

std::vector<ParameterValueRow> rows_of(const ReportInput& input, const GroupAnalysis& g, const ParameterValue& value) {
  if (!value.result.identified) return {};
  const ParameterCost reference = cost_of(input, g, value.reference);
  std::vector<ParameterValueRow> rows{{value.reference, 1, {}, reference, {}, {}}};
  for (const std::string& variant : g.table.variants) {
    const std::string name = "eff(" + variant + ")";
    const auto eff = value.result.param(name);
    if (!eff) continue;
    ParameterValueRow row{variant, *eff, {}, cost_of(input, g, variant), {}, {}};
    if (const auto range = value.result.intervals.find(name); range != value.result.intervals.end())
      row.interval = range->second;
    rows.push_back(std::move(row));
  }
  for (ParameterValueRow& row : rows) {
    row.per_byte = against(row.eff, row.cost.stored_bytes, reference.stored_bytes);
    row.per_flop = against(row.eff, row.cost.flops, reference.flops);
  }
  return rows;
}

}  // namespace

std::optional<ParameterValue> parameter_value(const ReportInput& input, const GroupAnalysis& g) {
  if (g.table.variants.size() < 2) return std::nullopt;
  std::vector<fit::Point> points;
  for (const std::string& variant : g.table.variants)
    for (const LawFit& fit : g.fits)
      if (fit.variant == variant && !fit.budget_class && !fit.size_class) {
        points.insert(points.end(), fit.points.begin(), fit.points.end());
        break;
      }
  if (points.empty()) return std::nullopt;
  ParameterValue value;
  const auto llama = std::find_if(g.table.variants.begin(), g.table.variants.end(),
                                  [](const std::string& name) { return name.rfind("llama", 0) == 0; });
  value.reference = llama != g.table.variants.end() ? *llama : g.table.variants.front();
  fit::FitOptions options;
  options.law = "precision";
  options.reference = value.reference;
  options.second_opinions = false;
  value.result = fit_law(points, options);
  value.rows = rows_of(input, g, value);
  return value;
}

}  // namespace bitsweep::analysis
