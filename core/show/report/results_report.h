// The report of a table of results: each row's mean, scatter and number of seeds, and its difference to a baseline with
// a 95 % interval. Pure.
#pragma once

#include <string>
#include <vector>

#include "fit/results_table.h"
#include "report/report.h"

namespace bitsweep::report {

struct ResultsInput {
  std::string name, source, version;  // as of ReportInput
  fit::ResultsTable table;
  fit::Baseline baseline;
};

// report.json, report.html, report.md. Differences are seed by seed where a row and the baseline have the same two or
// more seeds, else Welch's; with one seed on a side there is no interval, and it is said.
std::vector<ReportFile> render_results(const ResultsInput& input);

}  // namespace bitsweep::report
