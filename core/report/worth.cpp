#include "report/worth.h"

#include <algorithm>

#include <fmt/format.h>

#include "report/analysis.h"
#include "report/format.h"

namespace bitsweep {

std::optional<Worth> parameter_worth(const GroupAnalysis& g) {
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
  for (const NamedValue& v : r.params) {
    if (v.name.rfind("eff", 0) != 0 || !r.identified) continue;
    const auto range = r.intervals.find(v.name);
    t.rows.push_back({v.name, format_significant(v.value, 3),
                      range == r.intervals.end() ? kNothing
                                                 : format_significant(range->second.first, 3) + " to " +
                                                       format_significant(range->second.second, 3)});
  }
  if (!t.empty()) blocks.emplace_back(TableBlock{std::move(t)});
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
  return object;
}

}  // namespace bitsweep
