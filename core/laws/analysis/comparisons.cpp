// Cells held against each other: along tokens, along sizes, batch against batch, variant against variant, text against
// text.
#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/analysis.h"
#include "analysis/comparing.h"
#include "analysis/windows.h"

namespace bitsweep::analysis {
namespace {

constexpr double kMostHeld = 0.1;  // what is held may move by so much of what a step goes along

// Every run of the one place against every run of the other, where their seeds are not known: choosing the lowest would
// choose the luckiest.
std::vector<std::pair<size_t, size_t>> pairs_of_alike(const CellTable& table, size_t a, size_t b) {
  std::vector<std::pair<size_t, size_t>> pairs;
  for (const size_t x : table.alike(a))
    for (const size_t y : table.alike(b)) pairs.emplace_back(x, y);
  return pairs;
}

template <typename Comparison>
void correct(std::vector<Comparison>& comparisons) {
  std::vector<Comparison*> all;
  for (Comparison& c : comparisons) all.push_back(&c);
  correct_for_number(all);
}

// Cells of one size and the next larger batch, those whose tokens are nearest; of equally near ones the lowest losses.
std::optional<std::pair<size_t, size_t>> nearest(const CellTable& table, const std::vector<size_t>& small,
                                                 const std::vector<size_t>& large) {
  std::optional<std::pair<size_t, size_t>> best;
  std::pair<double, double> least{HUGE_VAL, HUGE_VAL};
  for (const size_t i : small)
    for (const size_t j : large) {
      const ReportCell &a = table.cells[i], &b = table.cells[j];
      const std::pair<double, double> apart{std::abs(std::log(b.tokens / a.tokens)),
                                            a.final_bpc.mean + b.final_bpc.mean};
      if (apart < least) {
        least = apart;
        best = {i, j};
      }
    }
  return best;
}

// What a step goes along, and what it holds.
double moving(const ReportCell& cell, Along along) { return along == Along::tokens ? cell.tokens : cell.params; }
double held(const ReportCell& cell, Along along) { return along == Along::tokens ? cell.params : cell.tokens; }
size_t moving_class(const ReportCell& cell, Along along) {
  return along == Along::tokens ? cell.budget_class : cell.size_class;
}
size_t held_class(const ReportCell& cell, Along along) {
  return along == Along::tokens ? cell.size_class : cell.budget_class;
}

// The chosen cells of a variant, by the class of what is held and then along.
std::vector<size_t> places_along(const CellTable& table, const std::string& variant, Along along) {
  std::vector<size_t> places;
  for (const size_t c : table.chosen)
    if (table.cells[c].variant == variant) places.push_back(c);
  std::stable_sort(places.begin(), places.end(), [&](size_t x, size_t y) {
    const ReportCell &a = table.cells[x], &b = table.cells[y];
    if (held_class(a, along) != held_class(b, along)) return held_class(a, along) < held_class(b, along);
    return moving(a, along) < moving(b, along);
  });
  return places;
}

// Below places[at], the next place from which what is held hardly moves, in the logarithm and beside what does.
std::optional<size_t> neighbour_below(const CellTable& table, const std::vector<size_t>& places, size_t at,
                                      Along along) {
  const ReportCell& here = table.cells[places[at]];
  std::optional<size_t> nearest;
  for (size_t i = at; i-- > 0;) {
    const ReportCell& below = table.cells[places[i]];
    if (held_class(below, along) != held_class(here, along)) break;
    if (nearest && moving(below, along) < moving(table.cells[*nearest], along)) break;
    if (moving_class(below, along) >= moving_class(here, along)) continue;
    const double change = std::log(moving(here, along) / moving(below, along));
    if (std::abs(std::log(held(here, along) / held(below, along))) <= kMostHeld * change) nearest = places[i];
  }
  return nearest;
}

SettingStep setting_step(const ReportInput& input, const CellTable& table, size_t from, size_t to) {
  const ReportCell &a = table.cells[from], &b = table.cells[to];
  SettingStep step{compared(input, a, b), from, to, b.tokens / a.tokens, {}, other_differences(a, b)};
  if (a.wall_s && b.wall_s && *a.wall_s > 0) step.wall_change = *b.wall_s / *a.wall_s - 1;
  return step;
}

}  // namespace

CellChange compared(const ReportInput& input, const ReportCell& first, const ReportCell& second) {
  const auto windows = window_error_between(input.runs, first, second);
  const CellChange apart{difference(second.final_bpc, first.final_bpc, windows), false, {}};
  if (!first.seed_known || !second.seed_known) return apart;
  std::map<int64_t, double> losses;
  for (const size_t r : first.runs) losses[input.runs[r].row.seed] = *input.runs[r].row.last_val_bpc;
  std::map<int64_t, double> differences;
  for (const size_t r : second.runs)
    if (const auto same = losses.find(input.runs[r].row.seed); same != losses.end())
      differences[same->first] = *input.runs[r].row.last_val_bpc - same->second;
  if (differences.size() < 2 || differences.size() != first.runs.size() || differences.size() != second.runs.size())
    return apart;
  std::vector<double> values;
  for (const auto& [seed, value] : differences) values.push_back(value);
  return {paired_difference(values, windows), true, {}};
}

// Steps between neighbours of one variant: along tokens at each size, or along sizes at each budget.
std::vector<ScalingStep> steps_along(const ReportInput& input, const CellTable& table, Along along) {
  std::vector<ScalingStep> steps;
  for (const std::string& variant : table.variants) {
    const std::vector<size_t> places = places_along(table, variant, along);
    for (size_t at = 0; at < places.size(); ++at) {
      const auto before = neighbour_below(table, places, at, along);
      if (!before) continue;
      for (const auto& [from, to] : pairs_of_alike(table, *before, places[at])) {
        const ReportCell &a = table.cells[from], &b = table.cells[to];
        const double units = along == Along::tokens ? std::log2(b.tokens / a.tokens) : std::log10(b.params / a.params);
        CellChange change = compared(input, a, b);
        const double per_unit = change.change.mean / units;
        steps.push_back({std::move(change), from, to, per_unit, other_differences(a, b)});
      }
    }
  }
  correct(steps);
  return steps;
}

std::vector<SettingStep> setting_steps(const ReportInput& input, const CellTable& table) {
  std::vector<SettingStep> steps;
  for (const std::string& variant : table.variants) {
    for (size_t size = 0; size < table.sizes.size(); ++size) {
      std::map<double, std::vector<size_t>> by_batch;
      for (size_t i = 0; i < table.cells.size(); ++i)
        if (const ReportCell& c = table.cells[i]; c.variant == variant && c.size_class == size && c.batch)
          by_batch[*c.batch].push_back(i);
      const std::vector<size_t>* before = nullptr;
      for (const auto& [batch, here] : by_batch) {
        const auto pair = before != nullptr ? nearest(table, *before, here) : std::nullopt;
        before = &here;
        if (!pair) continue;
        for (const auto& [from, to] : pairs_of_alike(table, pair->first, pair->second))
          steps.push_back(setting_step(input, table, from, to));
      }
    }
  }
  correct(steps);
  return steps;
}

std::vector<VariantComparison> variant_comparisons(const ReportInput& input, const CellTable& table) {
  std::vector<VariantComparison> pairs;
  for (size_t i = 0; i < table.variants.size(); ++i) {
    for (size_t j = i + 1; j < table.variants.size(); ++j) {
      for (size_t size = 0; size < table.sizes.size(); ++size) {
        for (size_t budget = 0; budget < table.budgets.size(); ++budget) {
          const auto a = table.at(table.variants[i], size, budget), b = table.at(table.variants[j], size, budget);
          if (!a || !b) continue;
          for (const auto& [first, second] : pairs_of_alike(table, *a, *b)) {
            const ReportCell &x = table.cells[first], &y = table.cells[second];
            pairs.push_back({compared(input, x, y), first, second, other_differences(x, y)});
          }
        }
      }
    }
  }
  correct(pairs);
  return pairs;
}

bool differ_by_text_alone(const query::ComparableGroup& a, const query::ComparableGroup& b) {
  for (size_t k = 0; k < query::comparability_rules().size(); ++k) {
    const std::string name = query::comparability_rules()[k].name;
    const bool of_text = name == "training-text" || name == "validation-text" || name == "mixture";
    if (!of_text && a.values[k] != b.values[k]) return false;
  }
  return true;
}

std::vector<TextOffset> text_offsets(const ReportInput& input, const std::vector<GroupAnalysis>& groups) {
  constexpr double kSameCount = 0.02;  // of a logarithm
  const auto same = [](double a, double b) { return a > 0 && b > 0 && std::abs(std::log(b / a)) < kSameCount; };
  std::vector<TextOffset> offsets;
  for (size_t g = 0; g < groups.size(); ++g)
    for (size_t h = g + 1; h < groups.size(); ++h) {
      if (!differ_by_text_alone(groups[g].group, groups[h].group)) continue;
      const std::vector<ReportCell>&first = groups[g].table.cells, &second = groups[h].table.cells;
      for (size_t i = 0; i < first.size(); ++i)
        for (size_t j = 0; j < second.size(); ++j) {
          const ReportCell &a = first[i], &b = second[j];
          if (a.variant == b.variant && same(a.params, b.params) && same(a.tokens, b.tokens) &&
              other_differences(a, b).empty())
            offsets.push_back({g, i, h, j, difference(b.final_bpc, a.final_bpc, window_error_apart(input.runs, a, b))});
        }
    }
  return offsets;
}

}  // namespace bitsweep::analysis
