// What a sweep's settings in the database say of how its runs are scheduled.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "schedule/divergence.h"
#include "schedule/schedule.h"
#include "schedule/stopping.h"
#include "store/store.h"

namespace bitsweep::coordinate {

struct SweepRules {
  int64_t stop_after = 0;          // failed runs after which no more are started; 0: go on
  std::vector<std::string> after;  // sweeps and runs that must have ended
  bool shortest_first = false;
  schedule::OnOom on_oom = schedule::OnOom::fail;
  schedule::StopSettings stop;
  std::string stop_metric = "val_bpc";
  std::vector<std::string> stop_within;  // axes: a run competes with those that agree with it in these
  double diverged = schedule::kDivergedMultiple;  // DivergenceRule::multiple
};
SweepRules sweep_rules(const json::object& settings);

// What is taken for divergence of a run under these rules.
schedule::DivergenceRule divergence_rule(const SweepRules& rules, const store::RunRecord& run);

// Why nothing of a sweep with these rules is started: what it comes after has not ended; "" when it has. Sweeps are
// looked up by name, then runs by id.
std::string waits_for(store::Store& store, const SweepRules& rules);

// The queue as the scheduler wants it. Remembers what it has looked up until forget().
class QueueMaker {
 public:
  explicit QueueMaker(store::Store& store) : store_(store) {}

  // `ready_at`: the end of its back-off, by the clock that the caller schedules by.
  schedule::QueuedRun queued_run(const store::QueueEntry& entry, double ready_at);
  // The starts that the database knows, in their order, as the fair shares of `queue`, which is filled already: after a
  // restart each sweep is owed what it was owed before.
  void recover_shares(schedule::RunQueue& queue);
  const SweepRules& rules(const std::string& sweep);
  void forget();

 private:
  // Of training; by finished runs of the plugin, else of any plugin in the queue, else 1, so that FLOPs take the place
  // of seconds in all of the queue.
  double flops_per_s(const std::string& plugin);

  store::Store& store_;
  std::map<std::string, SweepRules> rules_;
  std::map<std::string, double> rates_;  // 0: not measured
};

}  // namespace bitsweep::coordinate
