#include "report/optimum_section.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/findings.h"

namespace bitsweep::report {
namespace {

std::string range_text(double value, const fit::Interval& range) {
  const auto end = [](double x) { return std::isfinite(x) ? format_count(x) : std::string("no bound"); };
  return fmt::format("{} ({} to {})", format_count(value), end(range.first), end(range.second));
}

}  // namespace

std::vector<render::Block> optimum_section(const analysis::GroupAnalysis& g, int level) {
  if (g.optima.empty()) return {};
  const auto any = [&](auto holds) { return std::any_of(g.optima.begin(), g.optima.end(), holds); };
  const bool hours = any([](const analysis::ComputeOptimum& o) { return o.flops_per_s.has_value(); });
  const bool counted = any([](const analysis::ComputeOptimum& o) { return o.counted; });
  render::Table t{{{"variant"}, {"budget (FLOPs)", render::Align::right}}, {}};
  if (hours) t.columns.push_back({"hours", render::Align::right});
  for (const char* name : {"params", "tokens", "tokens a parameter", "loss"})
    t.columns.push_back({name, render::Align::right});
  if (counted) t.columns.push_back({"6 N D", render::Align::right});
  t.columns.push_back({"beyond the runs", render::Align::right});
  render::BulletList told;
  std::vector<std::string> refused;
  for (const analysis::ComputeOptimum& optimum : g.optima) {
    for (const analysis::BudgetRow& row : optimum.rows) {
      if (row.refused) {
        refused.push_back(fmt::format("{} FLOPs for {} ({})", render::format_significant(row.flops, 3), optimum.variant,
                                      row.beyond.text()));
        continue;
      }
      std::vector<std::string> cells{optimum.variant, render::format_significant(row.flops, 3)};
      if (hours) cells.push_back(row.hours ? render::format_significant(*row.hours, 2) : render::kNothing);
      cells.push_back(range_text(row.params, row.params_range));
      cells.push_back(range_text(row.tokens, row.tokens_range));
      cells.push_back(render::format_significant(row.tokens / row.params, 2));
      cells.push_back(fmt::format("{} ({} to {})", render::format_bpc(row.loss),
                                  render::format_bpc(row.loss_range.first), render::format_bpc(row.loss_range.second)));
      if (counted) cells.push_back(render::format_significant(row.six_nd, 3));
      cells.push_back(row.beyond.cell());
      t.rows.push_back(std::move(cells));
    }
    if (!optimum.counted && !optimum.flops_per_s) continue;
    std::string text;
    if (optimum.counted)
      text = fmt::format(": {} FLOPs a parameter and token at the largest size, where the rule of thumb says 6",
                         render::format_significant(optimum.flops_per_nd, 3));
    if (optimum.flops_per_s)
      text += fmt::format("{} hours are at the {} FLOP/s measured there", text.empty() ? ":" : ";",
                          render::format_significant(*optimum.flops_per_s, 3));
    told.items.push_back(render::Text().strong(optimum.variant) << text + ".");
  }
  if (!counted) told.items.emplace_back("The runs do not say their FLOPs: 6 N D is taken for them.");
  if (!refused.empty())
    told.items.push_back(fmt::format(
        "No division is told of {}: no law is trusted so far from its runs (--force tells it all the same).",
        listed(refused)));
  std::vector<render::Block> blocks;
  blocks.emplace_back(render::Heading{level, "Compute-optimal size and tokens"});
  blocks.emplace_back(render::Paragraph{
      "The division of a budget that the fitted law says ends lowest. In brackets: 95 % intervals, from joint "
      "draws of the law's parameters."});
  if (!t.empty()) blocks.emplace_back(render::TableBlock{std::move(t)});
  blocks.emplace_back(std::move(told));
  return blocks;
}

json::array optimum_json(const analysis::GroupAnalysis& g) {
  json::array list;
  const auto pair = [](const fit::Interval& range) {
    return json::array{finite_or_null(range.first), finite_or_null(range.second)};
  };
  for (const analysis::ComputeOptimum& optimum : g.optima) {
    json::array rows;
    for (const analysis::BudgetRow& row : optimum.rows)
      rows.push_back(json::object{{"flops", finite_or_null(row.flops)},
                                  {"hours", row.hours ? finite_or_null(*row.hours) : json::value(nullptr)},
                                  {"params", finite_or_null(row.params)},
                                  {"params_interval", pair(row.params_range)},
                                  {"tokens", finite_or_null(row.tokens)},
                                  {"tokens_interval", pair(row.tokens_range)},
                                  {"loss", finite_or_null(row.loss)},
                                  {"loss_interval", pair(row.loss_range)},
                                  {"six_nd", finite_or_null(row.six_nd)},
                                  {"beyond", finite_or_null(row.beyond.compute)},
                                  {"outside", finite_or_null(row.beyond.stretch)},
                                  {"refused", row.refused}});
    list.push_back(
        json::object{{"variant", optimum.variant},
                     {"flops_per_param_token", finite_or_null(optimum.flops_per_nd)},
                     {"flops_per_s", optimum.flops_per_s ? finite_or_null(*optimum.flops_per_s) : json::value(nullptr)},
                     {"budgets", std::move(rows)}});
  }
  return list;
}

}  // namespace bitsweep::report
