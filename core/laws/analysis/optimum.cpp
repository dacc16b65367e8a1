#include "analysis/optimum.h"

#include <algorithm>
#include <cmath>

#include "analysis/analysis.h"
#include "fit/posterior.h"

namespace bitsweep::analysis {
namespace {

constexpr int kPathPoints = 33;
constexpr double kFarthest = 100;  // how far the path goes beyond the largest run

// κ and speed of the largest models of a variant, and the range of budgets.
struct Measured {
  double flops_per_nd = 6, least = HUGE_VAL, most = 0;
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
    m.flops_per_nd = training_flops(cell) / (cell.params * cell.tokens);
    m.counted = cell.flops.has_value();
    if (cell.wall_s && *cell.wall_s > 0) speed += training_flops(cell) / *cell.wall_s, ++count;
  }
  if (count > 0) m.flops_per_s = speed / count;
  return m;
}

fit::Interval middle(std::vector<double> values, double level) {
  const auto at = [&](double q) {
    const auto place = values.begin() + std::lround(q * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), place, values.end());
    return *place;
  };
  return {at((1 - level) / 2), at((1 + level) / 2)};
}

// A division by each draw; draws in which size or data do not matter send N to one of its ends. With room for the
// estimate, which may lean on runs far from the law as the draws do not.
struct Spread {
  fit::Interval params, tokens, loss;
};
Spread spread_at(const std::vector<JointLaw>& draws, const Division& estimate, double flops, double kappa) {
  std::vector<double> params, tokens, losses;
  for (const JointLaw& draw : draws) {
    const auto best = draw.divide(flops, kappa);
    params.push_back(best ? best->params : HUGE_VAL);
    tokens.push_back(best ? best->tokens : HUGE_VAL);
    if (best) losses.push_back(best->loss);
  }
  if (losses.empty()) losses.push_back(HUGE_VAL);
  return {fit::including(middle(params, 0.95), estimate.params), fit::including(middle(tokens, 0.95), estimate.tokens),
          fit::including(middle(losses, 0.95), estimate.loss)};
}

std::vector<double> budgets_of(const ReportInput& input, const Measured& m) {
  std::vector<double> budgets = input.budget_flops;
  for (const double hours : input.budget_hours)
    if (m.flops_per_s) budgets.push_back(hours * 3600 * *m.flops_per_s);
  if (budgets.empty()) budgets = {m.most, 10 * m.most};
  std::sort(budgets.begin(), budgets.end());
  return budgets;
}

}  // namespace

JointLaw joint_law(const std::vector<fit::NamedValue>& values) {
  JointLaw law;
  auto& [E, A, B, alpha, beta] = law;
  for (const fit::NamedValue& v : values) {
    if (v.name == "E") E = v.value;
    if (v.name == "A") A = v.value;
    if (v.name == "B") B = v.value;
    if (v.name == "alpha") alpha = v.value;
    if (v.name == "beta") beta = v.value;
  }
  return law;
}

double JointLaw::loss(double params, double tokens) const {
  return E + A * std::pow(params, -alpha) + B * std::pow(tokens, -beta);
}

std::optional<Division> JointLaw::divide(double flops, double flops_per_nd) const {
  if (!(A > 0) || !(B > 0) || !(alpha > 0) || !(beta > 0)) return std::nullopt;
  const double log_nd = std::log(flops / flops_per_nd);
  const double log_n = (std::log(alpha * A / (beta * B)) + beta * log_nd) / (alpha + beta);
  Division d{std::exp(log_n), std::exp(log_nd - log_n), 0};
  d.loss = E + A * std::exp(-alpha * log_n) + B * std::exp(-beta * (log_nd - log_n));
  if (!std::isfinite(d.params) || !std::isfinite(d.tokens) || !std::isfinite(d.loss)) return std::nullopt;
  return d;
}

std::optional<ComputeOptimum> compute_optimum(const LawFit& fit, const GroupAnalysis& g, const ReportInput& input) {
  if (fit.law != "chinchilla" || !fit.result.identified) return std::nullopt;
  const Measured m = measure(g, fit.variant);
  const JointLaw law = joint_law(fit.result.params);
  const fit::Posterior* posterior = fit.result.posterior.get();
  if (!(m.most > 0) || !law.divide(m.most, m.flops_per_nd) || posterior == nullptr) return std::nullopt;
  std::vector<JointLaw> draws;
  for (int k = 0; k < posterior->size(); ++k) draws.push_back(joint_law(posterior->params(k)));

  ComputeOptimum out{fit.variant, m.flops_per_nd, m.counted, m.most, m.flops_per_s, {}, {}};
  for (const double flops : budgets_of(input, m)) {
    const auto best = law.divide(flops, m.flops_per_nd);
    if (!best) continue;
    const Spread spread = spread_at(draws, *best, flops, m.flops_per_nd);
    BudgetRow row;
    row.flops = flops;
    row.params = best->params;
    row.tokens = best->tokens;
    row.loss = best->loss;
    row.params_range = spread.params;
    row.tokens_range = spread.tokens;
    row.loss_range = spread.loss;
    row.six_nd = 6 * best->params * best->tokens;
    fit::Target division;
    division.params = best->params, division.tokens = best->tokens;
    row.beyond = fit::beyond(fit.points, division);
    row.beyond.compute = flops / m.most;
    row.refused = !too_far(row.beyond, input.extrapolation_limit).empty();
    if (m.flops_per_s) row.hours = flops / *m.flops_per_s / 3600;
    out.rows.push_back(row);
  }
  double end = kFarthest * m.most;
  for (const BudgetRow& row : out.rows)
    if (!row.refused) end = std::max(end, row.flops);
  for (int i = 0; i < kPathPoints; ++i) {
    const double flops = m.least * std::pow(end / m.least, static_cast<double>(i) / (kPathPoints - 1));
    const auto best = law.divide(flops, m.flops_per_nd);
    if (!best) continue;
    const fit::Interval loss = spread_at(draws, *best, flops, m.flops_per_nd).loss;
    out.path.push_back({flops, best->params, best->loss, loss.first, loss.second});
  }
  return out;
}

}  // namespace bitsweep::analysis
