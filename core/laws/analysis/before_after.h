// What training did to each number that a run tells: its own loss, texts beside it (eval.also), tasks. Before is the
// evaluation before the first step (eval.before). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/cells.h"
#include "analysis/input.h"
#include "base/metric_kind.h"

namespace bitsweep::analysis {

// One metric of one cell: means over those of its seeds that tell both ends, or the last alone where none has a first.
struct BeforeAfter {
  size_t cell = 0;  // into CellTable::cells
  std::string metric;
  MetricKind kind;
  std::optional<Estimate> before;  // nothing: it was not asked before the first step
  Estimate after;
  std::optional<Estimate> change;  // seed by seed
  query::Asked asked;              // of a task or a text beside (asked_at())

  // How much worse it became, in its unit; below 0: better. Nothing where neither less nor more is better.
  std::optional<double> worse() const;
};

// In the order of the cells, in each its own loss first; empty where no run was evaluated before its first step and
// none has a text beside.
std::vector<BeforeAfter> before_after(const ReportInput& input, const CellTable& table);

}  // namespace bitsweep::analysis
