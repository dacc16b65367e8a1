// The coordinator's own state and steps, shared by the files that implement them: coordinator.cpp (the loop and what
// ends), coordinator_start.cpp (the queue and what begins). For users: coordinator.h.
#pragma once

#include <map>
#include <span>
#include <unordered_map>

#include "base/error.h"
#include "coordinate/coordinator.h"
#include "coordinate/early_stop.h"
#include "coordinate/interrupts.h"
#include "coordinate/live_attempt.h"
#include "coordinate/sweep_rules.h"
#include "store/control.h"

namespace bitsweep::coordinate {

class Coordinator {
 public:
  Coordinator(store::Store& store, execute::Executor& executor, Clock& clock, const WorkOptions& options,
              Progress& progress)
      : store_(store),
        executor_(executor),
        options_(options),
        progress_(progress),
        clock_(clock),
        disk_(options.disk ? *options.disk : disk_of(store.paths().root), store.paths().root,
              options.disk_floor_bytes) {
    if (options_.devices.empty()) options_.devices = {{"cpu", 1, 0}};
    store_.database().wait_for_disk(false);  // one wait a turn, for all that the turn has changed
  }
  ~Coordinator() {
    try {
      store_.database().wait_for_disk(true);
    } catch (const Error&) {  // said by whoever writes next
    }
  }

  WorkResult run();

 private:
  static constexpr double kTick_s = 0.09;  // event written -> in the database

  bool bear_trouble(const Error& error);
  void reconcile();
  void announce();
  bool step();
  void read_events();
  void read_events_of(std::span<LiveAttempt* const> attempts);
  void look_at(LiveAttempt& live, const event::Event& event);
  void poll_attempts();
  void conclude(LiveAttempt& live, const execute::Poll& poll);
  void judge_loss(LiveAttempt& live, const event::Event& event);
  execute::Outcome judge_attempt(const LiveAttempt& live, const execute::Poll& poll);
  schedule::AfterAttempt after(const LiveAttempt& live, const execute::Outcome& outcome, int64_t faults);
  bool met_full_disk(const std::string& run, int64_t attempt, const execute::Outcome& outcome) const;
  schedule::AfterAttempt after_full_disk(const store::RunRecord& run);
  void settle(bool at_once);
  void obey();
  void read_requests();
  void take_devices(const store::Control& control);
  void watch_disk();
  void watch_database(double now);
  StopReason reason_to_stop(LiveAttempt& live, double now);
  void stop(LiveAttempt& live, StopReason reason);
  bool is_held() const { return paused_ || disk_.room() != DiskRoom::enough; }
  void note_ended(const store::RunRecord& record, bool was_running);
  void refresh_queue();
  double ready_at(const std::string& run, double not_before_unix_s);
  schedule::ScheduleInput schedule_input() const;
  bool start_runs();
  std::vector<execute::WarmSlot> wanted_warm() const;
  void put_back(const store::RunRecord& record);
  void hold_sweeps();
  int64_t out_of_memory(const std::string& run);
  std::optional<schedule::OomRetry> after_oom(const LiveAttempt& live);
  json::object spec_for(const LiveAttempt& live);
  void start(const store::QueueEntry& entry, const std::string& device, bool alone);
  void launch(LiveAttempt& live);
  void not_started(const LiveAttempt& live, const Error& error);
  int64_t threads_for(const store::QueueEntry& entry, const std::string& device) const;
  void show(bool always);
  QueueProgress picture();
  void find_left();

  store::Store& store_;
  execute::Executor& executor_;
  WorkOptions options_;
  Progress& progress_;
  Clock& clock_;
  Interrupts interrupts_;
  WorkResult result_;

  std::map<std::string, LiveAttempt> live_;
  std::vector<schedule::RunningRun> running_;                   // live_, as the scheduler sees it
  schedule::RunQueue queue_;                                    // in scope
  std::unordered_map<std::string, store::QueueEntry> entries_;  // of the same runs
  double flops_ahead_ = 0;                               // of these
  std::optional<double> run_s_;                          // how long an attempt takes, the latest counting most
  QueueMaker maker_{store_};
  EarlyStop early_stop_{store_, options_.curve_end};
  std::map<std::string, int64_t> failed_of_;  // failed runs of a sweep, during this call
  std::map<RunState, int64_t> counts_;
  std::vector<std::pair<RunProgress, store::RunRecord>> ended_;  // to be told once it is on the disk
  bool paused_ = false;                                   // all of the queue
  std::string devices_asked_;                             // as last taken from the database
  DiskWatch disk_;
  std::map<std::string, int64_t> full_disks_;  // how often a run met one in a row
  // When runs may be tried again: as the database has it, by the wall clock, and by ours.
  struct BackOff {
    double unix_s = 0, monotonic_s = 0;
  };
  std::unordered_map<std::string, BackOff> back_offs_;
  bool trouble_was_full_disk_ = false;
  double trouble_since_ = -1;  // monotonic, as all below; -1: the database takes what is written
  double events_read_ = 0;
  double settled_ = -1;
  uint64_t database_inode_ = 0;
  double database_seen_ = -1;
  bool queue_stale_ = true;
  bool shares_known_ = false;  // what sweeps were served before this process
  bool holds_ = false;         // some sweep comes after something
  bool decide_ = true;
  std::optional<double> wake_at_;
  int64_t seen_version_ = -1;
  double shown_ = -1;
};

}  // namespace bitsweep::coordinate
