// One setting against another of its values, all else equal.
#include <algorithm>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>

#include "analysis/analysis.h"
#include "analysis/comparing.h"

namespace bitsweep::analysis {
namespace {

bool is_tuned(const std::string& path) { return path == "train.lr" || path == "train.batch"; }

size_t first_run(const ReportCell& cell) { return *std::min_element(cell.runs.begin(), cell.runs.end()); }

struct SettingPair {
  size_t a, b;  // cells
  SettingDifference difference;
};

// Pairs of one variant, size and budget that differ in one setting alone, each with the value first that came first.
std::vector<SettingPair> pairs_of(const CellTable& table) {
  std::vector<SettingPair> pairs;
  for (size_t i = 0; i < table.cells.size(); ++i)
    for (size_t j = 0; j < table.cells.size(); ++j) {
      const ReportCell &a = table.cells[i], &b = table.cells[j];
      if (a.variant != b.variant || a.size_class != b.size_class || a.budget_class != b.budget_class) continue;
      if (!a.seed_known || !b.seed_known || first_run(a) >= first_run(b)) continue;
      const auto difference = only_difference(a, b);
      if (difference && !is_tuned(difference->path)) pairs.push_back({i, j, *difference});
    }
  return pairs;
}

// Of each variant and setting the value whose runs come first: what its others are held against.
std::map<std::pair<std::string, std::string>, std::string> references(const CellTable& table,
                                                                      const std::vector<SettingPair>& pairs) {
  std::map<std::pair<std::string, std::string>, std::pair<size_t, std::string>> first;
  for (const SettingPair& pair : pairs) {
    const size_t run = first_run(table.cells[pair.a]);
    const auto key = std::pair(table.cells[pair.a].variant, pair.difference.path);
    const auto [at, fresh] = first.try_emplace(key, run, pair.difference.from);
    if (!fresh && run < at->second.first) at->second = {run, pair.difference.from};
  }
  std::map<std::pair<std::string, std::string>, std::string> values;
  for (const auto& [key, value] : first) values[key] = value.second;
  return values;
}

Estimate over_places(const std::vector<Ablation::Place>& places) {
  if (places.size() == 1) return places.front().change;
  std::vector<double> means;
  for (const Ablation::Place& place : places) means.push_back(place.change.mean);
  return paired_difference(means);
}

// Variants in their order, a setting's values as they were asked for.
void order_ablations(const CellTable& table, std::vector<Ablation>& ablations) {
  const auto key = [&](const Ablation& ablation) {
    size_t first = SIZE_MAX;
    for (const Ablation::Place& place : ablation.places) first = std::min(first, first_run(table.cells[place.b]));
    const auto variant = std::find(table.variants.begin(), table.variants.end(), ablation.variant);
    return std::tuple(variant - table.variants.begin(), ablation.setting, first);
  };
  std::stable_sort(ablations.begin(), ablations.end(),
                   [&](const Ablation& a, const Ablation& b) { return key(a) < key(b); });
}

}  // namespace

std::vector<Ablation> ablations(const ReportInput& input, const CellTable& table) {
  const std::vector<SettingPair> pairs = pairs_of(table);
  const auto reference = references(table, pairs);
  std::vector<Ablation> out;
  for (const SettingPair& pair : pairs) {
    const ReportCell &a = table.cells[pair.a], &b = table.cells[pair.b];
    const auto& [path, from, to] = pair.difference;
    if (reference.at({a.variant, path}) != from) continue;
    auto found = std::find_if(out.begin(), out.end(), [&, to = to, path = path](const Ablation& known) {
      return known.variant == a.variant && known.setting == path && known.to == to;
    });
    if (found == out.end()) found = out.insert(out.end(), Ablation{a.variant, path, from, to, {}, {}});
    found->places.push_back({compared(input, a, b), pair.a, pair.b});
  }
  order_ablations(table, out);
  std::vector<Ablation::Place*> all;
  for (Ablation& ablation : out) {
    ablation.change = over_places(ablation.places);
    for (Ablation::Place& place : ablation.places) all.push_back(&place);
  }
  correct_for_number(all);
  return out;
}

}  // namespace bitsweep::analysis
