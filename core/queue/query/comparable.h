// Which runs may be compared at all: the same text, tokenizer, validation part, context and validation windows. Losses
// of different groups are never pooled, subtracted or drawn into one plot. Pure.
#pragma once

#include <string>
#include <vector>

#include "query/rows.h"

namespace bitsweep::query {

// One thing in which runs must agree before their losses may be compared.
struct ComparabilityRule {
  const char* name;  // "tokenizer"
  const char* what;  // "the tokenizer"
  // What the run has of it, as a reader is shown it; "" when it is not known. `dataset` may be null.
  std::string (*value)(const RunRow& run, const DatasetRow* dataset);
};
// Training text, tokenizer, validation text, context, validation windows, unit of the loss.
const std::vector<ComparabilityRule>& comparability_rules();

struct ComparableGroup {
  std::string label;    // "headers, ascii128, context 256"
  std::string dataset;  // id, "" when the data were never opened
  std::string corpus, tokenizer;
  int64_t context = 0;  // tokens; 0 when not known
  int64_t eval_windows = 0;
  std::string loss_unit;            // "bits per byte"; "" when a file of points did not tell
  std::vector<size_t> runs;         // indices into what was given, in its order
  std::vector<std::string> values;  // of each of comparability_rules()
};

// REQUIRES specs (Query::runs_of). Groups in order of their first run; labels are unique.
std::vector<ComparableGroup> comparable_groups(const std::vector<RunRow>& runs,
                                               const std::vector<DatasetRow>& datasets);

// Why a run's loss must not enter a law, a comparison or a headline: "diverged", "stopped early", "still running" …; ""
// when it may. A finished run whose loss is not above 0 has none, and one far above the uniform model's has diverged.
std::string exclusion_reason(const RunRow& run);

}  // namespace bitsweep::query
