// The points that finished runs of sweeps give to laws, and the waiting runs that such a law would speak of.
//
// As law_points.h has them: never two comparable groups together, one law a variant, and where several settings were
// tried at one size and budget, those of the lowest loss.
#pragma once

#include <string>
#include <vector>

#include "analysis/input.h"
#include "analysis/setting_law.h"
#include "fit/points.h"
#include "query/query.h"

namespace bitsweep::analysis {

struct LawData {
  std::string label;    // of the comparable group: "headers, ascii128, context 256"
  std::string dataset;  // id, "" when the data were never opened
  std::string variant, plugin;
  std::vector<fit::Point> points;  // with the ids of their runs
  std::vector<size_t> runs;     // of each point, into SweepData::runs
  std::vector<size_t> waiting;  // runs that have not begun, the only setting at their size and budget
  SettingLaw settings;          // of all its finished runs that say their rate
  size_t settings_waiting = 0;  // … and those that are one of several, of which a law of the best says nothing
};

struct SweepData {
  std::vector<std::string> sweeps;
  std::vector<query::RunRow> runs;
  std::vector<LawData> laws;  // in the order of their first run
};

// REQUIRES names of sweeps that are there.
SweepData law_data(const query::Query& query, const std::vector<std::string>& sweeps);
// The same of measured runs at hand: of a table of points, or of sweeps of which some runs were left out.
SweepData law_data(const ReportInput& input);

}  // namespace bitsweep::analysis
