#include "schedule/simulate.h"

#include <algorithm>
#include <cmath>
#include <queue>

namespace bitsweep::schedule {
namespace {

struct Running {
  double ends = 0;
  size_t run = 0;      // index
  bool fails = false;  // this attempt
};

class Simulator {
 public:
  Simulator(std::span<const DeviceSlots> devices, std::span<const SimulatedRun> runs, const SimulationOptions& options)
      : devices_(devices), runs_(runs), options_(options), begun_(runs.size(), false), left_(runs.size()) {
    for (size_t i = 0; i < runs.size(); ++i) {
      arrivals_.push_back(i), numbers_[runs[i].run.id] = i, left_[i] = runs[i].faults;
      states_[runs[i].run.id] = RunState::queued;
    }
    std::stable_sort(arrivals_.begin(), arrivals_.end(),
                     [&](size_t a, size_t b) { return runs[a].submitted < runs[b].submitted; });
    for (const DeviceSlots& device : devices) slots_ += static_cast<double>(device.slots);
    result_.runs = static_cast<int64_t>(runs.size());
    result_.lower_bound_s = lower_bound();
  }

  Simulation run() {
    if (runs_.empty()) return result_;
    now_ = begin_ = runs_[arrivals_.front()].submitted;
    for (;;) {
      submit_due();
      end_due();
      queue_.advance(now_);
      start();
      const auto next = next_event();
      if (!next) break;
      pass_time(*next);
    }
    finish();
    return result_;
  }

 private:
  struct Later {
    bool operator()(const Running& a, const Running& b) const {
      return std::pair(a.ends, a.run) > std::pair(b.ends, b.run);
    }
  };

  double lower_bound() const {
    double bound = 0, work = 0;
    for (size_t i = arrivals_.size(); i-- > 0;) {
      const SimulatedRun& run = runs_[arrivals_[i]];
      work += run.seconds * static_cast<double>(run.run.slots);
      bound = std::max({bound, run.submitted + run.seconds, run.submitted + (slots_ > 0 ? work / slots_ : 0)});
    }
    return bound - (runs_.empty() ? 0 : runs_[arrivals_.front()].submitted);
  }

  void submit_due() {
    for (; next_arrival_ < arrivals_.size() && runs_[arrivals_[next_arrival_]].submitted <= now_; ++next_arrival_) {
      QueuedRun run = runs_[arrivals_[next_arrival_]].run;
      run.position = static_cast<int64_t>(next_arrival_);
      if (const auto base = states_.find(run.init_from); base != states_.end()) run.init_from_state = base->second;
      queue_.put(std::move(run));
    }
  }

  void end_due() {
    while (!live_.empty() && live_.top().ends <= now_) {
      const Running over = live_.top();
      live_.pop();
      const SimulatedRun& run = runs_[over.run];
      std::erase_if(running_, [&](const RunningRun& r) { return r.id == run.run.id; });
      used_ -= static_cast<double>(run.run.slots);
      end(over, run);
    }
  }

  void end(const Running& over, const SimulatedRun& run) {
    const int64_t faults = run.faults - left_[over.run];
    const AfterAttempt after = over.fails
                                   ? after_attempt(ExitCause::signal, faults - 1, options_.retries, options_.back_off_s)
                                   : AfterAttempt{.run = RunState::done};
    states_[run.run.id] = after.run;
    if (after.run == RunState::queued) {
      QueuedRun again = run.run;
      again.position = position_[over.run];
      again.not_before = now_ + after.delay_s;
      if (const auto base = states_.find(again.init_from); base != states_.end()) again.init_from_state = base->second;
      return queue_.put(std::move(again));
    }
    ++(after.run == RunState::done ? result_.done : result_.failed);
    queue_.base_is(run.run.id, after.run);
    result_.makespan_s = now_ - begin_;
  }

  void start() {
    ++result_.decisions;
    const Decision decision = decide(
        {.now = now_, .devices = devices_, .running = running_, .queue = &queue_, .patience = options_.patience});
    for (const PassedOver& passed : decision.passed_over) queue_.pass_over(passed.run, passed.times);
    for (const Start& next : decision.starts) {
      const auto queued = queue_.start(next.run);
      const size_t i = numbers_.at(next.run);
      const SimulatedRun& run = runs_[i];
      position_[i] = queued->position;
      if (!begun_[i]) note_wait(now_ - run.submitted);
      begun_[i] = true;
      const bool fails = left_[i] > 0;
      if (fails) --left_[i];
      running_.push_back({next.run, next.device, run.run.slots, run.run.memory_bytes});
      states_[next.run] = RunState::running;
      live_.push({now_ + (fails ? 0.5 : 1.0) * run.seconds, i, fails});
      used_ += static_cast<double>(run.run.slots);
    }
    if (!decision.starts.empty()) check_devices();
  }

  void note_wait(double wait_s) {
    ++result_.started;
    result_.mean_wait_s += wait_s;
    result_.longest_wait_s = std::max(result_.longest_wait_s, wait_s);
  }

  void check_devices() {
    for (const DeviceSlots& device : devices_) {
      int64_t slots = 0, bytes = 0;
      for (const RunningRun& run : running_)
        if (run.device == device.name) slots += run.slots, bytes += run.memory_bytes;
      result_.overcommitted += slots > device.slots || (device.memory_bytes > 0 && bytes > device.memory_bytes);
    }
  }

  std::optional<double> next_event() const {
    std::optional<double> next;
    const auto consider = [&](double at) { next = std::min(next.value_or(at), at); };
    if (next_arrival_ < arrivals_.size()) consider(runs_[arrivals_[next_arrival_]].submitted);
    if (!live_.empty()) consider(live_.top().ends);
    if (const auto wake = queue_.next_wake()) consider(*wake);
    return next;
  }

  void pass_time(double until) {
    const double seconds = std::max(0.0, until - now_);
    used_slot_s_ += used_ * seconds;
    if (!queue_.ready().empty()) waiting_s_ += seconds, waiting_used_slot_s_ += used_ * seconds;
    now_ = until;
  }

  void finish() {
    result_.never_started = result_.runs - result_.started;
    if (result_.started > 0) result_.mean_wait_s /= static_cast<double>(result_.started);
    if (result_.makespan_s > 0 && slots_ > 0) result_.utilisation = used_slot_s_ / (slots_ * result_.makespan_s);
    if (waiting_s_ > 0 && slots_ > 0) result_.waiting_utilisation = waiting_used_slot_s_ / (slots_ * waiting_s_);
  }

  std::span<const DeviceSlots> devices_;
  std::span<const SimulatedRun> runs_;
  SimulationOptions options_;
  Simulation result_;
  RunQueue queue_;
  std::vector<size_t> arrivals_;  // runs by time of submission
  size_t next_arrival_ = 0;
  std::unordered_map<std::string, size_t> numbers_;
  std::unordered_map<std::string, RunState> states_;
  std::unordered_map<size_t, int64_t> position_;
  std::vector<RunningRun> running_;
  std::priority_queue<Running, std::vector<Running>, Later> live_;
  std::vector<bool> begun_;
  std::vector<int64_t> left_;  // attempts that will still fail
  double slots_ = 0, used_ = 0, now_ = 0, begin_ = 0;
  double used_slot_s_ = 0, waiting_s_ = 0, waiting_used_slot_s_ = 0;
};

}  // namespace

Simulation simulate(std::span<const DeviceSlots> devices, std::span<const SimulatedRun> runs,
                    const SimulationOptions& options) {
  return Simulator(devices, runs, options).run();
}

}  // namespace bitsweep::schedule
