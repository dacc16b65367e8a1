// Which metric decides a run's best checkpoint (checkpoint.best): of those that the run will tell, and that have a
// direction. Plan and trainer read it here, so that what a plan lets pass a trainer knows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/metric_kind.h"
#include "spec/data_conflicts.h"
#include "spec/run_spec.h"

namespace bitsweep::spec {

// Losses, answers of an induction task, tasks that are asked at every evaluation, texts beside the run's own. Metrics
// that only a model knows are not among them: before it is made nobody can say whether there is one of that name.
std::vector<MetricKind> ranking_metrics(const RunSpec& run);

// That of checkpoint.best; nothing where the run tells none of that name.
std::optional<MetricKind> best_metric(const RunSpec& run);

// What is wrong with checkpoint.best: the nearest metric, or why one of that name cannot be it.
std::optional<Conflict> best_metric_conflict(const RunSpec& run);

}  // namespace bitsweep::spec
