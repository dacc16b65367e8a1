// The points of sweeps as `fit` asks for them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/input.h"
#include "fit/points.h"
#include "fit/row_filter.h"
#include "query/query.h"

namespace bitsweep::analysis {

struct SweepPointsOptions {
  fit::RowFilter where;       // over what a point has (params, tokens, loss, …) and what varies in the sweeps
  bool all_settings = false;  // not only the best setting of each size and length
  // The metric whose newest value is a point's loss; "": the validation loss, by which the best setting of each size
  // and length is chosen either way.
  std::string loss;
  bool checkpoints = false;   // every evaluation of a run instead of its end, of all settings; for the law `curve`
};

struct SweepPoints {
  std::vector<fit::Point> points;               // in the order of the runs
  std::map<std::string, std::string> datasets;  // DatasetRow::id of each Point::dataset
  std::map<std::string, int> left_out;          // runs by the reason
};

// REQUIRES names of sweeps that are there. Throws Error{input} for a column of `where` that no run has, and for a
// `loss` that none has told or of which less is not better.
SweepPoints points_of_sweeps(const query::Query& query, const std::vector<std::string>& sweeps,
                             const SweepPointsOptions& options);

// Leaves in `input` the runs for which this holds, of the columns that points_of_sweeps knows. Throws Error{input} for
// a column that no run has.
void keep_where(ReportInput& input, const fit::RowFilter& where);
// Takes the `count` finished runs of the highest loss out of `input`; of equal ones the later go first.
void drop_largest_losses(ReportInput& input, int count);

}  // namespace bitsweep::analysis
