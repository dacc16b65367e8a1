#include "report/parameter_value_section.h"

#include <algorithm>

#include <fmt/format.h>

#include "render/format.h"

namespace bitsweep::report {
namespace {

std::string number_text(std::optional<double> value) {
  return value ? render::format_significant(*value, 3) : render::kNothing;
}

}  // namespace

std::vector<render::Block> parameter_value_section(const analysis::GroupAnalysis& g, int level) {
  if (!g.parameter_value) return {};
  const fit::FitResult& r = g.parameter_value->result;
  std::vector<render::Block> blocks;
  blocks.emplace_back(render::Heading{level, "What a parameter is worth"});
  blocks.emplace_back(render::Paragraph{
      render::Text("One law through all variants, ").code(r.formula.empty() ? "precision" : r.formula)
      << fmt::format(": a parameter of a variant does as much as eff parameters of {}, which is 1 by definition.",
                     g.parameter_value->reference)});
  render::Table t{{{"variant"}, {"eff", render::Align::right}, {"95 % interval", render::Align::right}}, {}};
  const auto has = [&](auto member) {
    return std::any_of(g.parameter_value->rows.begin(), g.parameter_value->rows.end(),
                       [&](auto& row) { return (row.*member).has_value(); });
  };
  const bool bytes = has(&analysis::ParameterValueRow::per_byte), flops = has(&analysis::ParameterValueRow::per_flop);
  if (bytes) t.columns.push_back({"for its stored bytes", render::Align::right});
  if (flops) t.columns.push_back({"for its FLOPs", render::Align::right});
  for (const analysis::ParameterValueRow& row : g.parameter_value->rows) {
    t.rows.push_back({row.variant, render::format_significant(row.eff, 3),
                      row.interval ? render::format_significant(row.interval->first, 3) + " to " +
                                         render::format_significant(row.interval->second, 3)
                                   : render::kNothing});
    if (bytes) t.rows.back().push_back(number_text(row.per_byte));
    if (flops) t.rows.back().push_back(number_text(row.per_flop));
  }
  if (!t.empty()) blocks.emplace_back(render::TableBlock{std::move(t)});
  render::BulletList reasons;
  if (!g.parameter_value->rows.empty() && (bytes || flops))
    reasons.items.emplace_back(fmt::format(
        "\"For its stored bytes\" and \"for its FLOPs\": eff over what a parameter takes as it is stored, "
        "and in training a token, at the largest size that was run; {} is 1. Above 1, the same bytes, or the "
        "same compute, do more than in {}.",
        g.parameter_value->reference, g.parameter_value->reference));
  for (const std::string& sentence : r.refused) reasons.items.emplace_back(sentence + ".");
  for (const std::string& sentence : r.warnings) reasons.items.emplace_back(sentence + ".");
  if (!r.identified) blocks.emplace_back(render::Paragraph{"The runs do not determine it, so no figure is claimed:"});
  if (!reasons.items.empty()) blocks.emplace_back(std::move(reasons));
  return blocks;
}

json::value parameter_value_json(const analysis::GroupAnalysis& g) {
  if (!g.parameter_value) return nullptr;
  json::object object = fit_json(g.parameter_value->result);
  object["reference"] = g.parameter_value->reference;
  json::array rows;
  for (const analysis::ParameterValueRow& row : g.parameter_value->rows)
    rows.push_back(json::object{{"variant", row.variant},
                                {"eff", finite_or_null(row.eff)},
                                {"stored_bytes_per_param", finite_or_null(row.cost.stored_bytes)},
                                {"flops_per_param_token", finite_or_null(row.cost.flops)},
                                {"per_stored_byte", finite_or_null(row.per_byte)},
                                {"per_flop", finite_or_null(row.per_flop)}});
  object["variants"] = std::move(rows);
  return object;
}

}  // namespace bitsweep::report
