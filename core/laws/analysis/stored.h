// What each variant costs in stored bits, and what it gains or loses for them against the fullest weights beside it, at
// equal size and budget. Of runs that said their stored size at their start. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "base/json.h"

namespace bitsweep::analysis {

struct StoredSize {
  double bits_per_weight = 0;
  int64_t bytes = 0;
};
// What a run said at its start, floats at 16 bits: older workers counted 32, which is taken back where all weights are
// floats or all are single bits. Nothing where it did not say.
std::optional<StoredSize> stored_size(const json::object& start, int64_t params);

// A chosen cell with what its weights take as deployed.
struct StoredCell {
  size_t cell = 0;  // into CellTable::cells
  double bits_per_weight = 0;
  int64_t bytes = 0;               // floats at 16 bits, thresholds, norms and biases included
  std::optional<size_t> twin;      // the cell it is compared with: most bits a weight at the same size and budget
  std::optional<Estimate> change;  // of the final loss, against the twin's
  double smaller = 1;              // the twin's bytes in this one's
};
std::vector<StoredCell> stored_cells(const ReportInput& input, const GroupAnalysis& g);

}  // namespace bitsweep::analysis
