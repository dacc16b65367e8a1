// The curves of sweeps that have a stop rule, as the coordinator sees them grow, and what the rule says of them.
#pragma once

#include "coordinate/sweep_rules.h"
#include "spec/run_spec.h"
#include "store/curves.h"

namespace bitsweep::coordinate {

// Where a run's curve ends by a law that knows its schedule, for the rule `curve`; handed in by the caller, because
// laws are no matter of the queue. Empty: the rule stops nothing.
using CurveEnd =
    std::function<std::optional<schedule::Extrapolation>(const schedule::RunCurve& run, const spec::TrainSpec& train)>;

class EarlyStop {
 public:
  explicit EarlyStop(store::Store& store, CurveEnd curve_end = {}) : store_(store), curve_end_(std::move(curve_end)) {}

  // An evaluation of a run that goes on. Why it is to be stopped; "" when it is not.
  std::string evaluated(const store::RunRecord& run, const event::Event& event, const SweepRules& rules);
  // A run is over: done ones are what others are measured by, failed ones say nothing.
  void ended(const store::RunRecord& run);

 private:
  struct Entry {
    schedule::RunCurve curve;
    std::string group;  // runs of one group compete
  };
  struct Curves {
    bool negated = false;  // losses are values of a metric of which more is better, negated
    std::map<std::string, Entry> of_runs;
  };
  Curves& curves_of(const std::string& sweep, const SweepRules& rules);

  store::Store& store_;
  CurveEnd curve_end_;
  std::map<std::string, Curves> sweeps_;
};

}  // namespace bitsweep::coordinate
