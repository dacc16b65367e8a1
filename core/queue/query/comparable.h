// Which runs may be compared at all: the same text, tokenizer, validation part, context and validation windows, and of
// a mixture without a validation text of its own (data.val) the same weights, which decide what is scored; where runs
// are scored on bytes of text (eval.bytes), whatever tokenizer and context, as long as the tokenizer keeps all of them.
// Losses of different groups are never pooled, subtracted or drawn into one plot. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "query/asked.h"
#include "query/rows.h"

namespace bitsweep::query {

// One thing in which runs must agree before their losses may be compared.
struct ComparabilityRule {
  const char* name;  // "tokenizer"
  const char* what;  // "the tokenizer"
  // What the run has of it, as a reader is shown it; "" when it is not known. `dataset` may be null.
  std::string (*value)(const RunRow& run, const DatasetRow* dataset);
};
// Training text, tokenizer, validation text, weights of a mixture, context, validation windows, unit of the loss,
// and what the loss was asked on where it is a task's or of a text beside.
const std::vector<ComparabilityRule>& comparability_rules();

struct ComparableGroup {
  std::string label;    // "headers, ascii128, context 256"
  std::string dataset;  // id, "" when the data were never opened
  std::string corpus, tokenizer;
  int64_t context = 0;  // tokens; 0 when not known
  int64_t eval_windows = 0;
  int64_t eval_bytes = 0;  // in their place, as asked; 0: windows
  int64_t eval_stride = 0;
  std::string loss_unit;            // "bits per byte"; "" when a file of points did not tell
  std::vector<size_t> runs;         // indices into what was given, in its order
  std::vector<std::string> values;  // of each of comparability_rules()
  std::optional<MetricKind> loss = {};  // RunRow::loss
  Asked asked = {};                     // and what it was asked on
};

// The count models on exactly what runs of the group are scored on; null where nobody made them.
const YardstickRow* yardstick_of(const ComparableGroup& group, const DatasetRow& dataset);

// REQUIRES specs (Query::runs_of). Groups in order of their first run; labels are unique.
std::vector<ComparableGroup> comparable_groups(const std::vector<RunRow>& runs,
                                               const std::vector<DatasetRow>& datasets);

// The tokenizer of a run's spec, as a person calls it: "bytes256", "gpt2/tokenizer.json"; "" when it does not tell.
std::string tokenizer_of(const json::object& spec);

// Bytes of training text that a token of a run stands for, as its start told (Query::start_facts) or its alphabet says;
// nothing when neither does.
std::optional<double> bytes_per_token(const RunRow& run, const json::object& start);

// Why a run's loss must not enter a law, a comparison or a headline: "diverged", "stopped early", "still running" …; ""
// when it may. A finished run whose loss is not above 0 has none, and one far above the uniform model's has diverged.
std::string exclusion_reason(const RunRow& run);

}  // namespace bitsweep::query
