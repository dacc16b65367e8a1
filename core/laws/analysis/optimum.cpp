#include "analysis/optimum.h"

#include <algorithm>
#include <cmath>

#include "analysis/analysis.h"
#include "fit/surface.h"

namespace bitsweep::analysis {
namespace {

constexpr int kPathPoints = 33;
constexpr double kFarthest = 100;  // how far the path goes beyond the largest run

// Speed of the largest models of a variant, and the range of budgets.
struct Measured {
  double least = HUGE_VAL, most = 0;
  bool counted = false;
  std::optional<double> flops_per_s;
};

Measured measure(const GroupAnalysis& g, const std::string& variant) {
  Measured m;
  double largest = 0;
  for (const ReportCell& cell : g.table.cells) {
    if (cell.variant != variant || !(cell.params > 0) || !(cell.tokens > 0)) continue;
    m.least = std::min(m.least, training_flops(cell));
    m.most = std::max(m.most, training_flops(cell));
    largest = std::max(largest, cell.params);
  }
  double speed = 0, count = 0;
  for (const ReportCell& cell : g.table.cells) {
    if (cell.variant != variant || cell.params != largest) continue;
    m.counted = cell.flops.has_value();
    if (cell.wall_s && *cell.wall_s > 0) speed += training_flops(cell) / *cell.wall_s, ++count;
  }
  if (count > 0) m.flops_per_s = speed / count;
  return m;
}

std::vector<double> budgets_of(const ReportInput& input, const Measured& m) {
  std::vector<double> budgets = input.budget_flops;
  for (const double hours : input.budget_hours)
    if (m.flops_per_s) budgets.push_back(hours * 3600 * *m.flops_per_s);
  if (budgets.empty()) budgets = {m.most, 10 * m.most};
  std::sort(budgets.begin(), budgets.end());
  return budgets;
}

// The divisions that the law says, and what runs there will measure.
std::vector<FrontierPoint> path_of(const LawFit& fit, double flops_per_nd, double least, double end) {
  const frontier::JointLaw law = frontier::joint_law(fit.result.params);
  std::vector<FrontierPoint> path;
  std::vector<fit::Target> targets;
  for (int i = 0; i < kPathPoints; ++i) {
    const double flops = least * std::pow(end / least, static_cast<double>(i) / (kPathPoints - 1));
    const auto best = law.divide(flops, flops_per_nd);
    if (!best) continue;
    fit::Target& target = targets.emplace_back();
    target.params = best->params, target.tokens = best->tokens;
    target.variant = fit.points[0].variant, target.dataset = fit.points[0].dataset;
    path.push_back({flops, best->params, 0, 0, 0});
  }
  const std::vector<fit::RunForecast> runs = forecast(*fit.result.surface, targets, fit.result.confidence);
  for (size_t i = 0; i < runs.size(); ++i) {
    path[i].loss = runs[i].expected;
    path[i].low = runs[i].interval.first, path[i].high = runs[i].interval.second;
  }
  return path;
}

}  // namespace

std::optional<ComputeOptimum> compute_optimum(const LawFit& fit, const GroupAnalysis& g, const ReportInput& input) {
  if (fit.law != "chinchilla") return std::nullopt;
  const Measured m = measure(g, fit.variant);
  if (!(m.most > 0)) return std::nullopt;
  const frontier::Approaches& approaches = fit.verdict.approaches;
  const auto divided = [&](const std::vector<double>& budgets) {
    return optima(fit.points, fit.result, approaches, budgets, input.extrapolation_limit);
  };
  ComputeOptimum out{fit.variant, 6, m.counted, m.most, m.flops_per_s, {}, {}};
  const frontier::Optima asked = divided(budgets_of(input, m));
  out.flops_per_nd = asked.flops_per_nd;
  double end = kFarthest * m.most;
  bool any = false;
  for (const frontier::Optimum& row : asked.rows) {
    BudgetRow told{row, {}, {}};
    told.six_nd = 6 * row.best.params * row.best.tokens;
    if (m.flops_per_s) told.hours = row.flops / *m.flops_per_s / 3600;
    if (row.refused.empty()) end = std::max(end, row.flops), any = true;
    out.rows.push_back(std::move(told));
  }
  if (!any) return std::nullopt;
  if (fit.result.identified && fit.result.surface) out.path = path_of(fit, out.flops_per_nd, m.least, end);
  return out;
}

}  // namespace bitsweep::analysis
