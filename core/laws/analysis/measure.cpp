#include "analysis/measure.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/units.h"

namespace bitsweep::analysis {
namespace {

// Sorted values cut where the next is more than `ratio` above the class's first; the class of each value into
// `classes`.
std::vector<ValueClass> classify(const std::vector<double>& values, double ratio, std::vector<size_t>& classes) {
  std::vector<size_t> order(values.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<ValueClass> found;
  std::vector<double> lowest, highest;
  classes.assign(values.size(), 0);
  for (const size_t i : order) {
    if (found.empty() || values[i] > lowest.back() * ratio) {
      found.push_back({});
      lowest.push_back(values[i]), highest.push_back(values[i]);
    }
    highest.back() = values[i];
    classes[i] = found.size() - 1;
  }
  for (size_t k = 0; k < found.size(); ++k) {
    found[k].value = std::sqrt(lowest[k]) * std::sqrt(highest[k]);
    found[k].label = format_count(lowest[k] == highest[k] ? lowest[k] : found[k].value);
    if (lowest[k] != highest[k]) found[k].label.insert(0, "≈");
  }
  return found;
}

void classify_by(CellTable& table, const Measure& measure) {
  std::vector<double> sizes, budgets;
  for (const ReportCell& cell : table.cells)
    sizes.push_back(measure.size(cell)), budgets.push_back(measure.budget(cell));
  std::vector<size_t> size_of, budget_of;
  table.measure = measure;
  table.sizes = classify(sizes, kSameSize, size_of);
  table.budgets = classify(budgets, kSameBudget, budget_of);
  for (size_t i = 0; i < table.cells.size(); ++i) {
    table.cells[i].size_class = size_of[i];
    table.cells[i].budget_class = budget_of[i];
  }
}

// How many tokenizers meet others, over all sizes and budgets.
size_t meetings(const CellTable& table) {
  std::map<std::pair<size_t, size_t>, std::set<std::string>> at;
  for (const ReportCell& cell : table.cells) at[{cell.size_class, cell.budget_class}].insert(cell.tokenizer);
  size_t met = 0;
  for (const auto& [place, tokenizers] : at) met += tokenizers.size() - 1;
  return met;
}

}  // namespace

void classify_cells(CellTable& table) {
  const auto known = [&](double ReportCell::*what) {
    return std::all_of(table.cells.begin(), table.cells.end(), [&](const ReportCell& c) { return c.*what > 0; });
  };
  const bool several = std::any_of(table.cells.begin(), table.cells.end(),
                                   [&](const ReportCell& c) { return c.tokenizer != table.cells.front().tokenizer; });
  Measure best;
  size_t most = 0;
  for (const Measure measure : {Measure{true, true}, Measure{false, true}, Measure{true, false}, Measure{}}) {
    if (!several || (measure.body && !known(&ReportCell::params_nonembedding)) ||
        (measure.bytes && !known(&ReportCell::bytes)))
      continue;
    classify_by(table, measure);
    if (const size_t met = meetings(table); met > most) most = met, best = measure;
  }
  classify_by(table, best);
}

std::vector<ValueClass> classify_sizes(const std::vector<double>& params, std::vector<size_t>& class_of) {
  return classify(params, kSameSize, class_of);
}

std::string CellTable::size_text(size_t size_class) const {
  return fmt::format("{} {}", sizes.at(size_class).label, measure.sizes());
}

std::string CellTable::budget_text(size_t budget_class) const {
  return fmt::format("{} {}", budgets.at(budget_class).label, measure.budgets());
}

}  // namespace bitsweep::analysis
