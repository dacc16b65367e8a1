// Comparisons with more than one possible cause, as numbers: which pairs of cells differ in more than one factor, and
// which run would tell the factors apart. A report words them as rules. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "analysis/analysis.h"

namespace bitsweep::analysis {

// The run that would leave one factor: `to`'s size and tokens under the settings of `from`.
MissingRun missing_run(const ReportCell& from, const ReportCell& to);

// Each comparison of the analysis with more than one factor, without one that has no more.
struct ConfoundedPairs {
  std::vector<std::pair<size_t, size_t>> cells;  // into CellTable::cells
  std::set<std::string> factors;                 // dotted paths of the settings that differ besides
};
ConfoundedPairs confounded_pairs(const GroupAnalysis& g);

struct SizePair {
  const ReportCell *small, *large;
};
// Neighbouring sizes of a variant that share no budget, each by its two cells of nearest tokens; none where a law that
// the runs determine tells size from tokens.
std::vector<SizePair> unmatched_size_pairs(const GroupAnalysis& g, const std::string& variant);

// Of one cell's runs.
int64_t steps_of(const ReportInput& input, const ReportCell& cell);

// Cells of one variant with equal steps and unequal tokens: the first `most` pairs, and how many there are.
struct EqualSteps {
  std::vector<std::pair<size_t, size_t>> cells;
  size_t all = 0;
};
EqualSteps equal_steps_of(const ReportInput& input, const GroupAnalysis& g, size_t most);

// Correlation of log N and log D over the points; 0 where one of them does not vary.
double collinearity(const std::vector<fit::Point>& points);

}  // namespace bitsweep::analysis
