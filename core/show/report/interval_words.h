// What the interval of a difference holds, in words: seeds, validation windows, or both.
#pragma once

#include <string>
#include <vector>

#include "analysis/cells.h"

namespace bitsweep::report {

// " ± 0.0123"; " ± 0.0123 (windows)" where nothing is known of seeds; "" without an interval.
std::string spread_text(const analysis::Estimate& change);

// "seeds", "windows", "seeds and windows"; "" without an interval.
std::string interval_of(const analysis::Estimate& change);

// What ± means in a table of these, a sentence or two with a space before each; "" when none has an interval.
std::string interval_sentence(const std::vector<analysis::Estimate>& changes);
// Of steps, comparisons, offsets: whatever has a `change`.
template <typename Comparison>
std::string interval_sentence_of(const std::vector<Comparison>& comparisons) {
  std::vector<analysis::Estimate> changes;
  for (const Comparison& c : comparisons) changes.push_back(c.change);
  return interval_sentence(changes);
}

}  // namespace bitsweep::report
