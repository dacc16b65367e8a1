// A row of the table of runs as a value.
#pragma once

#include <string_view>

#include "base/json.h"
#include "query/rows.h"
#include "store/database.h"

namespace bitsweep::query {

// In the order of read_run(). The table holds more than the view `runs` shows; a person's WHERE sees the view.
inline constexpr const char* kRunColumns =
    "run.id, s.name, run.state, coalesce(run.exit_cause, ''), coalesce(run.message, ''), run.plugin, run.seed, "
    "run.params, run.params_nonembedding, run.params_extra, run.tokens, run.steps, run.step, run.attempts, run.epochs, "
    "run.flops, run.best_val_bpc, run.last_val_bpc, run.wall_s, run.tokens_per_s, run.submitted, run.started, "
    "run.ended, run.best_step, run.peak_rss_bytes, coalesce(run.dataset, ''), run.priority, run.device, run.faults, "
    "iif(run.imported, coalesce(run.spec -> '$.seed', 'null'), NULL)";

// Columns as in kRunColumns, then axes and, when asked for, the spec.
RunRow read_run(const store::Statement& row, bool with_spec);

// Of a column that holds JSON; empty where it is no object.
json::object object_of(std::string_view text);

}  // namespace bitsweep::query
