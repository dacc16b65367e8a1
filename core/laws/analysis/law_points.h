// From measured runs to the points that a law may see: the one way of it. `fit`, `report`, `suggest`, claims and
// predictions all take their points from here, so that they speak of the same variants, settings and runs.
//
// A variant is a plugin with those of its options that vary (cells.h). Where several settings were measured at one size
// and length, the one of the lowest loss stands for the place, with all its seeds. Runs without a final loss are left
// out (exclusion_reason() of query/comparable.h).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/cells.h"
#include "analysis/input.h"
#include "fit/points.h"
#include "query/comparable.h"

namespace bitsweep::analysis {

// Runs whose losses may be compared, by variant and configuration.
struct RunGroup {
  query::ComparableGroup group;
  const query::DatasetRow* dataset = nullptr;  // nothing when the data were never opened
  // Count models of order 0, 1 … in bits per byte: on exactly the bytes that the runs are scored on where that is known
  // (scored_bytes), else on the whole validation part; empty when the data were never opened.
  std::vector<double> yardsticks;
  int64_t scored_bytes = 0;
  std::vector<std::string> variant_of;  // of each of group.runs, whatever their state
  std::vector<size_t> usable;           // runs that are finished with a loss, and kept
  CellTable table;                      // of the usable ones
};

// Whether a run with a loss may count; of every run when it is empty.
using KeepRun = std::function<bool(size_t run, const query::ComparableGroup& group, const std::string& variant)>;

// The groups in order of their first run. Variants are named by all runs of a group, whether kept or not. The result
// points into `datasets`.
std::vector<RunGroup> group_runs(const std::vector<MeasuredRun>& runs, const std::vector<query::DatasetRow>& datasets,
                                 const KeepRun& keep = {});

// Which of a variant's runs.
struct PointRule {
  std::optional<size_t> size_class, budget_class;  // into CellTable: of these alone
  bool all_settings = false;                       // instead of the best at each place
  bool incomplete = false;                         // those without parameters or without tokens too
};

struct LawPoints {
  std::vector<fit::Point> points;
  std::vector<size_t> runs;  // of each point, into the measured runs
};

// In the order of the table's cells.
LawPoints points_of(const std::vector<MeasuredRun>& runs, const RunGroup& g, const std::string& variant,
                    const PointRule& rule = {});

// One run of a cell of the group. The text's tokens are the data set's, or follow from the run's epochs where the data
// were never opened; a seed is told where the run says one.
fit::Point point_of(const std::vector<MeasuredRun>& runs, const RunGroup& g, const ReportCell& cell, size_t run);

}  // namespace bitsweep::analysis
