// The coordinator's own state and steps, shared by the files that implement them: coordinator.cpp (the loop and what
// ends), coordinator_start.cpp (the queue and what begins). For users: coordinator.h.
#pragma once

#include <map>

#include "cli/coordinator.h"
#include "cli/interrupts.h"
#include "cli/live_attempt.h"

namespace bitsweep {

class Coordinator {
 public:
  Coordinator(Store& store, Executor& executor, const WorkOptions& options, Progress& progress)
      : store_(store), executor_(executor), options_(options), progress_(progress), clock_(system_clock()) {
    if (options_.devices.empty()) options_.devices = {{"cpu", 1, 0}};
  }

  WorkResult run();

 private:
  void reconcile();
  bool step();
  void read_events();
  void poll_attempts();
  void conclude(LiveAttempt& live, const Poll& poll);
  Outcome judge_attempt(const LiveAttempt& live, const Poll& poll);
  void obey();
  void stop(LiveAttempt& live, StopReason reason);
  void refresh_queue();
  World world() const;
  bool start_runs();
  void start(const QueueEntry& entry, const std::string& device);
  void launch(LiveAttempt& live);
  int64_t threads_for(const QueueEntry& entry, const std::string& device) const;
  void show(bool always);
  QueueProgress picture();
  void find_left();

  Store& store_;
  Executor& executor_;
  WorkOptions options_;
  Progress& progress_;
  Clock& clock_;
  Interrupts interrupts_;
  WorkResult result_;

  std::map<std::string, LiveAttempt> live_;
  std::vector<RunningRun> running_;  // live_, as the scheduler sees it
  std::vector<QueueEntry> entries_;  // the queue in scope, as last read
  std::vector<QueuedRun> queued_;    // the same, as the scheduler sees it
  std::map<std::string, int64_t> passed_over_;
  std::map<std::string, int64_t> failed_of_;  // failed runs of a sweep, during this call
  std::map<RunState, int64_t> counts_;
  bool queue_stale_ = true;
  bool decide_ = true;
  std::optional<double> wake_at_;
  int64_t seen_version_ = -1;
  double shown_ = -1;
};

}  // namespace bitsweep
