// Which runs may be compared at all: the same text, tokenizer, validation part, context and validation windows. Losses
// of different groups are never pooled, subtracted or drawn into one plot. Pure.
#pragma once

#include <string>
#include <vector>

#include "query/rows.h"

namespace bitsweep {

struct ComparableGroup {
  std::string label;    // "headers, ascii128, context 256"
  std::string dataset;  // id, "" when the data were never opened
  std::string corpus, tokenizer;
  int64_t context = 0;  // tokens; 0 when not known
  int64_t eval_windows = 0;
  std::vector<size_t> runs;  // indices into what was given, in its order
};

// REQUIRES specs (Query::runs_of). Groups in order of their first run; labels are unique.
std::vector<ComparableGroup> comparable_groups(const std::vector<RunRow>& runs,
                                               const std::vector<DatasetRow>& datasets);

// Why a run's loss must not enter a law or a comparison: "diverged", "stopped early", "still running" …; "" when it
// may.
std::string exclusion_reason(const RunRow& run);

}  // namespace bitsweep
