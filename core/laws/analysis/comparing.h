// How two cells are held against each other, and many of them at once. Only this room's .cpp files include it.
#pragma once

#include <algorithm>
#include <vector>

#include "analysis/analysis.h"

namespace bitsweep::analysis {

// second − first.
CellChange compared(const ReportInput& input, const ReportCell& first, const ReportCell& second);

// Holm 1979: the smallest of m p-values times m, the next times m − 1 …, never falling.
template <class Change>
void correct_for_number(const std::vector<Change*>& comparisons) {
  std::vector<CellChange*> order;
  for (Change* c : comparisons)
    if (c->change.p) order.push_back(c);
  std::stable_sort(order.begin(), order.end(), [](auto* a, auto* b) { return *a->change.p < *b->change.p; });
  double least = 0;
  for (size_t k = 0; k < order.size(); ++k) {
    least = std::max(least, std::min(1.0, *order[k]->change.p * static_cast<double>(order.size() - k)));
    order[k]->p_holm = least;
  }
}

}  // namespace bitsweep::analysis
