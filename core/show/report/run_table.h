// Runs as a table for people: the columns that matter for these runs, numbers in people's units.
#pragma once

#include <string>
#include <vector>

#include "query/run_columns.h"
#include "render/table.h"

namespace bitsweep::report {

// What `runs` shows when no columns are asked for: state, what varies, size, losses, time. Columns that say nothing
// about these runs (no cause, one seed) are left out.
std::vector<std::string> default_run_columns(const std::vector<query::RunRow>& runs);

// Cells in people's units (46.4M, 2h 10m); an empty cell is "-". Metrics are shown as their kinds say.
render::Table run_table(const std::vector<query::RunRow>& runs, const std::vector<std::string>& columns,
                        const MetricKinds& kinds = {});

// A metric's value in its unit: "48.2 %" of a fraction, "2.1034" of a loss, "0.25" of a bare number or an unknown one.
std::string metric_text(double value, const MetricKind* kind);

// Of the columns that sum up tasks, a sentence each: what they are, and what a guess would give.
std::vector<std::string> metrics_told(const std::vector<std::string>& columns, const MetricKinds& kinds);

// Cells as they are, for CSV: full precision, nothing for null, axes as JSON.
render::Table raw_run_table(const std::vector<query::RunRow>& runs, const std::vector<std::string>& columns);

}  // namespace bitsweep::report
