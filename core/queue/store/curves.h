// The curves of a sweep's runs in one metric, for rules that compare them while they run.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "store/store.h"

namespace bitsweep::store {

struct StoredCurve {
  std::string run;
  RunState state = RunState::queued;
  int64_t steps = 0;  // planned
  json::object axes;
  std::vector<std::pair<int64_t, double>> losses;  // the metric by step; finite ones
};

// Of the runs whose first sweep this is and that have told the metric.
std::vector<StoredCurve> sweep_curves(Store& store, std::string_view sweep, std::string_view metric);

}  // namespace bitsweep::store
