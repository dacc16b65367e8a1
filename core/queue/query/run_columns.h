// The columns by which runs are shown, sorted and exported: those of `runs --json`, what lies beside them, and every
// axis of a sweep by its dotted path. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/metric_kind.h"
#include "query/rows.h"

namespace bitsweep::query {

// The keys of an object of `runs --json`, in order.
const std::vector<std::string>& run_json_columns();

// All columns these runs have: run_json_columns(), the further ones (epochs, flops, …), axes in order of appearance,
// then the metrics that their rows hold.
std::vector<std::string> run_column_names(const std::vector<RunRow>& runs);

// The seed digit for digit, of a run from elsewhere too: int64 or uint64; null where its log's was left out.
json::value seed_of(const RunRow& run);

// The value of one column; null where the run has none.
json::value run_column(const RunRow& run, std::string_view column);

// An object with these columns.
json::object run_json(const RunRow& run, const std::vector<std::string>& columns = run_json_columns());

// "a,b" to names. Throws Error{input} naming `option` and the nearest column for one that is not in `known`.
// `signs`: a leading '-' is allowed and kept.
std::vector<std::string> parse_columns(std::string_view text, const std::vector<std::string>& known,
                                       std::string_view option, bool signs = false);

// Stable; by each key in turn, descending after '-'. Empty values come last either way.
void sort_runs(std::vector<RunRow>& runs, const std::vector<std::string>& keys);

// The same keys, where a metric of which more is better is given without '-': largest first.
std::vector<std::string> best_first(std::vector<std::string> keys, const MetricKinds& kinds);

// A JSON value as a cell: texts bare, numbers in their shortest form, null as `nothing`.
std::string cell_text(const json::value& value, const char* nothing = "");

// Axes with more than one value among these runs, in order of appearance.
std::vector<std::string> varying_axes(const std::vector<RunRow>& runs);

}  // namespace bitsweep::query
