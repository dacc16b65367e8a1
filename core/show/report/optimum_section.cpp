#include "report/optimum_section.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/findings.h"

namespace bitsweep::report {
namespace {

std::string range_text(double value, const std::optional<fit::Interval>& range) {
  if (!range) return format_count(value);
  const auto end = [](double x) { return std::isfinite(x) ? format_count(x) : std::string("no bound"); };
  return fmt::format("{} ({} to {})", format_count(value), end(range->first), end(range->second));
}

std::string loss_text(double loss, const std::optional<fit::Interval>& interval) {
  if (!interval) return render::format_bpc(loss);
  return fmt::format("{} ({} to {})", render::format_bpc(loss), render::format_bpc(interval->first),
                     render::format_bpc(interval->second));
}

const char* basis_text(frontier::Basis basis) {
  return basis == frontier::Basis::measured  ? "best run"
         : basis == frontier::Basis::isoflop ? "iso-FLOP minimum"
                                             : "law, from the last minimum";
}

}  // namespace

std::vector<render::Block> optimum_section(const analysis::GroupAnalysis& g, int level) {
  if (g.optima.empty()) return {};
  const auto any = [&](auto holds) { return std::any_of(g.optima.begin(), g.optima.end(), holds); };
  const bool hours = any([](const analysis::ComputeOptimum& o) { return o.flops_per_s.has_value(); });
  const bool counted = any([](const analysis::ComputeOptimum& o) { return o.counted; });
  render::Table t{{{"variant"}, {"budget (FLOPs)", render::Align::right}}, {}};
  if (hours) t.columns.push_back({"hours", render::Align::right});
  t.columns.push_back({"from"});
  for (const char* name : {"params", "tokens", "tokens a parameter", "loss", "best run there", "the law alone"})
    t.columns.push_back({name, render::Align::right});
  if (counted) t.columns.push_back({"6 N D", render::Align::right});
  t.columns.push_back({"beyond the runs", render::Align::right});
  render::BulletList told;
  std::vector<std::string> refused, per_nd, speeds;
  for (const analysis::ComputeOptimum& optimum : g.optima) {
    for (const analysis::BudgetRow& row : optimum.rows) {
      if (!row.refused.empty()) {
        refused.push_back(fmt::format("{} FLOPs for {} ({})", render::format_significant(row.flops, 3), optimum.variant,
                                      row.refused));
        continue;
      }
      std::vector<std::string> cells{optimum.variant, render::format_significant(row.flops, 3)};
      if (hours) cells.push_back(row.hours ? render::format_significant(*row.hours, 2) : render::kNothing);
      cells.push_back(basis_text(row.basis));
      cells.push_back(range_text(row.best.params, row.params_interval));
      cells.push_back(format_count(row.best.tokens));
      cells.push_back(render::format_significant(row.best.tokens / row.best.params, 2));
      cells.push_back(loss_text(row.best.loss, row.loss_interval));
      cells.push_back(row.measured ? fmt::format("{}: {}", format_count(row.measured->params),
                                                 render::format_bpc(row.measured->loss))
                                   : render::kNothing);
      cells.push_back(row.law ? fmt::format("{}: {}", format_count(row.law->params), render::format_bpc(row.law->loss))
                              : render::kNothing);
      if (counted) cells.push_back(render::format_significant(row.six_nd, 3));
      cells.push_back(row.beyond.cell());
      t.rows.push_back(std::move(cells));
    }
    if (optimum.counted)
      per_nd.push_back(fmt::format("{} of {}", render::format_significant(optimum.flops_per_nd, 3), optimum.variant));
    if (optimum.flops_per_s)
      speeds.push_back(fmt::format("{} of {}", render::format_significant(*optimum.flops_per_s, 3), optimum.variant));
  }
  std::string rates;
  if (!per_nd.empty())
    rates = fmt::format("At the largest size the FLOPs a parameter and token, where the rule of thumb says 6, are {}.",
                        listed(per_nd));
  if (!speeds.empty())
    rates +=
        fmt::format("{}Hours are at the FLOP/s of the largest size: {}.", rates.empty() ? "" : " ", listed(speeds));
  if (!rates.empty()) told.items.emplace_back(std::move(rates));
  if (!counted) told.items.emplace_back("The runs do not say their FLOPs: 6 N D is taken for them.");
  if (!refused.empty())
    told.items.push_back(fmt::format(
        "No division is told of {} (--force tells what lies too far from the runs all the same).", listed(refused)));
  std::vector<render::Block> blocks;
  blocks.emplace_back(render::Heading{level, "Compute-optimal size and tokens"});
  blocks.emplace_back(
      render::Paragraph{"Where runs of a budget exist, its division is the bottom of the parabola through them, or the "
                        "best of them where that "
                        "is lower; beyond them it starts from the last such minimum and grows as the law says. In "
                        "brackets: 95 % intervals, of "
                        "the loss for a new run."});
  if (!t.empty()) blocks.emplace_back(render::TableBlock{std::move(t)});
  blocks.emplace_back(std::move(told));
  return blocks;
}

json::array optimum_json(const analysis::GroupAnalysis& g) {
  json::array list;
  for (const analysis::ComputeOptimum& optimum : g.optima) {
    frontier::Optima told;
    json::array hours;
    for (const analysis::BudgetRow& row : optimum.rows) {
      told.rows.push_back(row);
      if (row.refused.empty()) hours.push_back(finite_or_null(row.hours));
    }
    json::array rows = optima_json(told);
    for (size_t i = 0; i < rows.size(); ++i) rows[i].as_object()["hours"] = hours[i];
    list.push_back(json::object{{"variant", optimum.variant},
                                {"flops_per_param_token", finite_or_null(optimum.flops_per_nd)},
                                {"flops_per_s", finite_or_null(optimum.flops_per_s)},
                                {"budgets", std::move(rows)},
                                {"refused", strings_json(refusals(told))}});
  }
  return list;
}

}  // namespace bitsweep::report
