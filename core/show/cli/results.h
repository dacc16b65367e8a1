// `report --points` of a table of results (fit/results_table.h).
#pragma once

#include <optional>

#include "base/files.h"
#include "cli/options.h"
#include "fit/results_table.h"

namespace bitsweep::cli {

// Nothing where the file is not of that form. Throws Error{input} as read_results_table does.
std::optional<fit::ResultsTable> read_results(const fs::path& file, const fit::PointsFormat& format);

// Writes the report, or prints its JSON; returns the exit code. Throws Error{input} for options that it cannot heed.
int report_results(const CommandLine& line, const fs::path& file, const fit::ResultsTable& table);

}  // namespace bitsweep::cli
