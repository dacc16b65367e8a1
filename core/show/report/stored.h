// What each variant costs in stored bits, and what it gains or loses for them against the fullest weights beside it, at
// equal size and budget. Of runs that said their stored size at their start. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/sections.h"

namespace bitsweep {

// A chosen cell with what its weights take as deployed.
struct StoredCell {
  size_t cell = 0;  // into CellTable::cells
  double bits_per_weight = 0;
  int64_t bytes = 0;               // thresholds, norms and biases included
  std::optional<size_t> twin;      // the cell it is compared with: most bits a weight at the same size and budget
  std::optional<Estimate> change;  // of the final loss, against the twin's
  double smaller = 1;              // the twin's bytes in this one's
};
std::vector<StoredCell> stored_cells(const ReportInput& input, const GroupAnalysis& g);

// A table, and a sentence for each variant at the largest size and budget that it shares with its twin. Empty when
// nothing is known.
std::vector<Block> stored_section(const ReportInput& input, const GroupAnalysis& g, int level);

// [{"variant", "params", "tokens", "bits_per_weight", "bytes", "against", "change", "smaller"}]
json::array stored_json(const ReportInput& input, const GroupAnalysis& g);

}  // namespace bitsweep
