#include "report/gaps_section.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/units.h"
#include "report/findings.h"
#include "report/format.h"

namespace bitsweep {
namespace {

constexpr size_t kMostComparedInFull = 3;  // variants; of more, not every pair is shown at once

// The variant the others are held against: llama where it is there, else the first.
std::string reference_of(const CellTable& table) {
  const auto llama = std::find_if(table.variants.begin(), table.variants.end(),
                                  [](const std::string& name) { return name.rfind("llama", 0) == 0; });
  return llama != table.variants.end() ? *llama : table.variants.front();
}

// Whether no third variant ends between the two at their size and budget.
bool are_neighbours(const CellTable& table, const VariantGap& gap) {
  const ReportCell &a = table.cells[gap.a], &b = table.cells[gap.b];
  const auto [low, high] = std::minmax(a.final_bpc.mean, b.final_bpc.mean);
  return std::none_of(table.chosen.begin(), table.chosen.end(), [&, low = low, high = high](size_t c) {
    const ReportCell& cell = table.cells[c];
    return cell.size_class == a.size_class && cell.budget_class == a.budget_class && low < cell.final_bpc.mean &&
           cell.final_bpc.mean < high;
  });
}

}  // namespace

std::vector<Block> gaps_section(const GroupAnalysis& g, int level) {
  if (g.gaps.empty()) return {};
  std::vector<Block> out;
  out.emplace_back(Heading{level, "Variant against variant"});
  const bool any_also =
      std::any_of(g.gaps.begin(), g.gaps.end(), [](const VariantGap& gap) { return !gap.also.empty(); });
  Table t{{{"first"}, {"second"}, {"params"}, {"tokens", Align::right}, {"losses"}, {"change", Align::right}}, {}};
  if (any_also) t.columns.push_back({"differs besides"});
  Table rest{t.columns, {}};
  const bool fold = g.table.variants.size() > kMostComparedInFull;
  const std::string reference = reference_of(g.table);
  for (const VariantGap& gap : g.gaps) {
    const ReportCell &a = g.table.cells[gap.a], &b = g.table.cells[gap.b];
    std::string change = format_delta(gap.change.mean);
    if (gap.change.half_width) change += " ± " + format_bpc(*gap.change.half_width);
    const std::string pa = format_count(a.params), pb = format_count(b.params);
    const bool first = !fold || a.variant == reference || b.variant == reference || are_neighbours(g.table, gap);
    Table& to = first ? t : rest;
    to.rows.push_back({a.variant, b.variant, pa == pb ? pa : pa + " / " + pb, format_count(a.tokens),
                       format_bpc(a.final_bpc.mean) + " / " + format_bpc(b.final_bpc.mean), change});
    if (any_also) to.rows.back().push_back(gap.also.empty() ? kNothing : listed(gap.also));
  }
  std::string told =
      "At equal size and tokens. The change is the second variant's final loss minus the first's: negative means that "
      "the second is better.";
  if (!rest.empty())
    told += fmt::format(" Shown are comparisons with {} and between neighbours in the order of losses.", reference);
  out.emplace_back(Paragraph{told});
  out.emplace_back(TableBlock{std::move(t)});
  if (!rest.empty()) {
    std::string title = plural(static_cast<int64_t>(rest.rows.size()), "other comparison", "other comparisons");
    out.emplace_back(Details{std::move(title), {}, std::move(rest)});
  }
  return out;
}

}  // namespace bitsweep
