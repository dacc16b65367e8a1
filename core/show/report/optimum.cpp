#include "report/optimum.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/units.h"
#include "fit/posterior.h"
#include "report/analysis.h"
#include "report/figures.h"
#include "report/findings.h"
#include "render/format.h"

namespace bitsweep {
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
    m.least = std::min(m.least, training_flops(cell)), m.most = std::max(m.most, training_flops(cell));
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

Interval middle(std::vector<double> values, double level) {
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
  Interval params, tokens, loss;
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
  return {including(middle(params, 0.95), estimate.params), including(middle(tokens, 0.95), estimate.tokens),
          including(middle(losses, 0.95), estimate.loss)};
}

std::vector<double> budgets_of(const ReportInput& input, const Measured& m) {
  std::vector<double> budgets = input.budget_flops;
  for (const double hours : input.budget_hours)
    if (m.flops_per_s) budgets.push_back(hours * 3600 * *m.flops_per_s);
  if (budgets.empty()) budgets = {m.most, 10 * m.most};
  std::sort(budgets.begin(), budgets.end());
  return budgets;
}

// The factor by which a division leaves the range of the points, in size or in tokens.
double outside_of(const std::vector<Point>& points, const Division& at) {
  double factor = 1;
  const auto leave = [&](double Point::*axis, double value) {
    const auto [low, high] = std::minmax_element(points.begin(), points.end(),
                                                 [&](const Point& a, const Point& b) { return a.*axis < b.*axis; });
    factor = std::max({factor, (*low).*axis / value, value / ((*high).*axis)});
  };
  leave(&Point::params, at.params), leave(&Point::tokens, at.tokens);
  return factor;
}

std::string range_text(double value, const Interval& range) {
  const auto end = [](double x) { return std::isfinite(x) ? format_count(x) : std::string("no bound"); };
  return fmt::format("{} ({} to {})", format_count(value), end(range.first), end(range.second));
}

}  // namespace

JointLaw joint_law(const std::vector<NamedValue>& values) {
  JointLaw law;
  auto& [E, A, B, alpha, beta] = law;
  for (const NamedValue& v : values) {
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
  const Posterior* posterior = fit.result.posterior.get();
  if (!(m.most > 0) || !law.divide(m.most, m.flops_per_nd) || posterior == nullptr) return std::nullopt;
  std::vector<JointLaw> draws;
  for (int k = 0; k < posterior->size(); ++k) draws.push_back(joint_law(posterior->params(k)));

  ComputeOptimum out{fit.variant, m.flops_per_nd, m.counted, m.most, m.flops_per_s, {}, {}};
  for (const double flops : budgets_of(input, m)) {
    const auto best = law.divide(flops, m.flops_per_nd);
    if (!best) continue;
    const Spread spread = spread_at(draws, *best, flops, m.flops_per_nd);
    BudgetRow row;
    row.flops = flops, row.params = best->params, row.tokens = best->tokens, row.loss = best->loss;
    row.params_range = spread.params, row.tokens_range = spread.tokens, row.loss_range = spread.loss;
    row.six_nd = 6 * best->params * best->tokens, row.beyond = flops / m.most;
    row.outside = outside_of(fit.points, *best);
    row.refused = row.outside > input.extrapolation_limit;
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
    const Interval loss = spread_at(draws, *best, flops, m.flops_per_nd).loss;
    out.path.push_back({flops, best->params, best->loss, loss.first, loss.second});
  }
  return out;
}

std::vector<Block> optimum_section(const GroupAnalysis& g, int level) {
  if (g.optima.empty()) return {};
  const auto any = [&](auto holds) { return std::any_of(g.optima.begin(), g.optima.end(), holds); };
  const bool hours = any([](const ComputeOptimum& o) { return o.flops_per_s.has_value(); });
  const bool counted = any([](const ComputeOptimum& o) { return o.counted; });
  Table t{{{"variant"}, {"budget (FLOPs)", Align::right}}, {}};
  if (hours) t.columns.push_back({"hours", Align::right});
  for (const char* name : {"params", "tokens", "tokens a parameter", "loss"}) t.columns.push_back({name, Align::right});
  if (counted) t.columns.push_back({"6 N D", Align::right});
  t.columns.push_back({"beyond the runs", Align::right});
  BulletList told;
  std::vector<std::string> refused;
  for (const ComputeOptimum& optimum : g.optima) {
    for (const BudgetRow& row : optimum.rows) {
      if (row.refused) {
        refused.push_back(fmt::format("{} FLOPs for {} ({} times outside of the runs)",
                                      format_significant(row.flops, 3), optimum.variant,
                                      format_significant(row.outside, 2)));
        continue;
      }
      std::vector<std::string> cells{optimum.variant, format_significant(row.flops, 3)};
      if (hours) cells.push_back(row.hours ? format_significant(*row.hours, 2) : kNothing);
      cells.push_back(range_text(row.params, row.params_range));
      cells.push_back(range_text(row.tokens, row.tokens_range));
      cells.push_back(format_significant(row.tokens / row.params, 2));
      cells.push_back(fmt::format("{} ({} to {})", format_bpc(row.loss), format_bpc(row.loss_range.first),
                                  format_bpc(row.loss_range.second)));
      if (counted) cells.push_back(format_significant(row.six_nd, 3));
      cells.push_back(format_significant(row.beyond, 2) + "×");
      t.rows.push_back(std::move(cells));
    }
    if (!optimum.counted && !optimum.flops_per_s) continue;
    std::string text;
    if (optimum.counted)
      text = fmt::format(": {} FLOPs a parameter and token at the largest size, where the rule of thumb says 6",
                         format_significant(optimum.flops_per_nd, 3));
    if (optimum.flops_per_s)
      text += fmt::format("{} hours are at the {} FLOP/s measured there", text.empty() ? ":" : ";",
                          format_significant(*optimum.flops_per_s, 3));
    told.items.push_back(Text().strong(optimum.variant) << text + ".");
  }
  if (!counted) told.items.emplace_back("The runs do not say their FLOPs: 6 N D is taken for them.");
  if (!refused.empty())
    told.items.push_back(fmt::format(
        "No division is told of {}: no law is trusted so far from its runs (--force tells it all the same).",
        listed(refused)));
  std::vector<Block> blocks;
  blocks.emplace_back(Heading{level, "Compute-optimal size and tokens"});
  blocks.emplace_back(Paragraph{
      "The division of a budget that the fitted law says ends lowest. In brackets: 95 % intervals, from joint "
      "draws of the law's parameters."});
  if (!t.empty()) blocks.emplace_back(TableBlock{std::move(t)});
  blocks.emplace_back(std::move(told));
  return blocks;
}

json::array optimum_json(const GroupAnalysis& g) {
  json::array list;
  const auto pair = [](const Interval& range) {
    return json::array{finite_or_null(range.first), finite_or_null(range.second)};
  };
  for (const ComputeOptimum& optimum : g.optima) {
    json::array rows;
    for (const BudgetRow& row : optimum.rows)
      rows.push_back(json::object{{"flops", finite_or_null(row.flops)},
                                  {"hours", row.hours ? finite_or_null(*row.hours) : json::value(nullptr)},
                                  {"params", finite_or_null(row.params)},
                                  {"params_interval", pair(row.params_range)},
                                  {"tokens", finite_or_null(row.tokens)},
                                  {"tokens_interval", pair(row.tokens_range)},
                                  {"loss", finite_or_null(row.loss)},
                                  {"loss_interval", pair(row.loss_range)},
                                  {"six_nd", finite_or_null(row.six_nd)},
                                  {"beyond", finite_or_null(row.beyond)},
                                  {"outside", finite_or_null(row.outside)},
                                  {"refused", row.refused}});
    list.push_back(
        json::object{{"variant", optimum.variant},
                     {"flops_per_param_token", finite_or_null(optimum.flops_per_nd)},
                     {"flops_per_s", optimum.flops_per_s ? finite_or_null(*optimum.flops_per_s) : json::value(nullptr)},
                     {"budgets", std::move(rows)}});
  }
  return list;
}

}  // namespace bitsweep
