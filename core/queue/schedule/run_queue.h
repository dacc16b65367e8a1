// The queue in the scheduler's order, kept up to date run by run, so that a decision never walks all of it.
//
// The order: higher priority first; then the sweep that was served least; of a sweep the longest run first, among those
// submitted close together (kBlock positions), then the first submitted.
//
// Fair share is start-time fair queueing (Goyal, Vin, Cheng 1996): a sweep is charged slots × predicted time for each
// start, the one charged least goes first, and one that comes late or was idle begins where the others are. Longest
// first bounds the makespan by 4/3 of the least (Graham 1969); in blocks, so that a run is passed by a bounded number
// of its own sweep however much is submitted later. A sweep may ask for the shortest first: then laws of its small runs
// speak of its large ones before these begin.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/run_state.h"

namespace bitsweep::schedule {

struct QueuedRun {
  std::string id;
  std::string sweep;
  int64_t priority = 0;        // higher first
  int64_t position = 0;        // order of submission; unique
  std::string device = "any";  // any | cpu | cuda | cuda:N
  int64_t slots = 1;
  bool alone = false;        // wants all slots and bytes of a device, having run out of memory beside others
  int64_t memory_bytes = 0;  // 0: not known
  double predicted_s = 0;    // 0: not known; one unit in all of a queue
  double not_before = 0;     // seconds of whatever clock the caller keeps
  bool paused = false;
  // The run it starts from and that one's state; nothing when it depends on none. A dependency that is not known
  // counts as failed.
  std::string init_from;
  std::optional<RunState> init_from_state;
  int64_t passed_over = 0;      // runs behind it that were started before it
  bool shortest_first = false;  // as its sweep asks; the same for all runs of one
};

enum class Readiness { ready, paused, held, back_off, dependency, dependency_failed };

class RunQueue {
 public:
  static constexpr int64_t kBlock = 4096;

  RunQueue() = default;
  RunQueue(RunQueue&&) = default;
  RunQueue& operator=(RunQueue&&) = default;

  // New, or changed. What it was passed over is kept.
  void put(QueuedRun run);
  void erase(std::string_view id);
  // All runs; what sweeps were served stays.
  void clear();
  // Takes a run that is started, and charges its sweep.
  std::optional<QueuedRun> start(std::string_view id);
  // What start() does for the sweep of a run of this charge, for a run that an earlier process started: told in the
  // order of their starts, they leave the shares where that process left them.
  void was_started(const std::string& sweep, double charge);
  void pass_over(std::string_view id, int64_t times);
  // The state of a run that others may start from.
  void base_is(const std::string& id, RunState state);
  // Nothing of a held sweep is started; `why` is a sentence for people, "" ends it.
  void hold(const std::string& sweep, std::string why);
  // Back-offs that end by then are over. Time may go back: what was over stays so.
  void advance(double now);

  const QueuedRun* find(std::string_view id) const;
  size_t size() const { return runs_.size(); }
  bool empty() const { return runs_.empty(); }
  Readiness readiness(const QueuedRun& run, double now) const;
  std::string why_held(const std::string& sweep) const;
  // Runs ready before it: of higher priority, and of its sweep.
  int64_t ready_before(const QueuedRun& run) const;
  std::optional<double> next_wake() const;

  // --- for decide() -----------------------------------------------------------------------------------------------
  // What a run asks of a device: two runs of one demand fit on the same devices.
  struct Demand {
    std::string device;
    int64_t slots = 1;
    bool alone = false;
    int64_t memory_bytes = 0;
    auto operator<=>(const Demand&) const = default;
  };
  struct Place {  // in a sweep
    int64_t block = 0;
    double rank = 0;  // − predicted_s, or predicted_s where the shortest goes first
    int64_t position = 0;
    const QueuedRun* run = nullptr;
    bool operator<(const Place& other) const {
      return std::tie(block, rank, position) < std::tie(other.block, other.rank, other.position);
    }
  };
  using Places = std::set<Place>;
  using Group = std::map<size_t, Places>;  // ready runs of one sweep and priority, by demand
  using Level = std::map<std::string, Group>;
  const std::map<int64_t, Level, std::greater<>>& ready() const { return ready_; }
  const std::vector<Demand>& demands() const { return demands_; }
  bool is_held(const std::string& sweep) const { return held_.contains(sweep); }
  // When the sweep's next run begins in virtual time: the least goes first.
  double start_tag(const std::string& sweep) const;
  double virtual_time() const { return virtual_time_; }
  // What its start is charged.
  double charge(const QueuedRun& run) const;

 private:
  struct Kept {
    QueuedRun run;
    size_t demand = 0;
    bool waits = false;  // for its back-off alone
    bool listed = false;
  };
  void list(Kept& kept);
  void unlist(Kept& kept);
  size_t demand_of(const QueuedRun& run);
  static Place place_of(const QueuedRun& run);

  std::unordered_map<std::string, std::unique_ptr<Kept>> runs_;
  std::map<int64_t, Level, std::greater<>> ready_;
  std::set<std::pair<double, std::string>> later_;                // (not_before, id)
  std::unordered_map<std::string, std::set<std::string>> wants_;  // base -> runs that start from it
  std::vector<Demand> demands_;
  std::map<Demand, size_t> demand_numbers_;
  std::map<std::string, std::string> held_;
  std::map<std::string, double> tags_;
  double virtual_time_ = 0;
  double now_ = 0;
  double known_s_ = 0;  // sum and number of the predictions seen
  int64_t known_ = 0;
};

}  // namespace bitsweep::schedule
