// What else a table may be that people bring as points: a log, an export of another tool, a table of results.
#pragma once

#include <optional>
#include <string>

#include "fit/points_source.h"

namespace bitsweep::fit {

// "this is the log of one run, a row a step, for `bitsweep import`"; "" for nothing that is known.
std::string other_form(const TableHeader& header);

// The column that names what was compared: row, name, variant, ablation, config …; nothing where none does.
std::optional<size_t> results_label(const TableHeader& header);

// Whether a table without the columns of points is one of results: a name and a loss, and no step.
bool is_results_table(const TableHeader& header, const ColumnMap& map);

}  // namespace bitsweep::fit
