// A table of results: what was compared (a row, a variant, an ablation), a loss each seed, and neither sizes nor
// lengths. No law goes through it; its rows are compared with a baseline. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fit/points_csv.h"

namespace bitsweep::fit {

// What was measured of one row of the comparison.
struct ResultGroup {
  std::string name;
  std::vector<std::string> seeds;  // of each loss; "" where the table tells none
  std::vector<double> losses;
};

struct ResultsTable {
  std::string label, metric;        // names of the columns
  std::vector<ResultGroup> groups;  // in order of appearance
  std::vector<std::string> notes;   // what was left out or is odd, a sentence each
};

// Nothing where the table is not of that form. Throws Error{input} as read_point_table does. Of `format`: loss, variant
// (or run) and seed of its map, and `where`.
std::optional<ResultsTable> read_results_table(std::string_view text, const std::string& name_for_message,
                                               const PointsFormat& format);

// Which group others are compared with, and why it: as asked for; named baseline, control, reference, A0 …; the first.
struct Baseline {
  size_t group = 0;
  std::string why;
};
// REQUIRES a group. Throws Error{input} for an `asked` ("": not asked for) that is none, naming the nearest.
Baseline choose_baseline(const ResultsTable& table, const std::string& asked);

}  // namespace bitsweep::fit
