#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>

#include "schedule/fit_in.h"

namespace bitsweep::schedule {

bool FreeDevice::is_for(std::string_view wish) const {
  const std::string_view name = device->name;
  if (wish == "any" || wish == name) return true;
  return wish == "cuda" && name.substr(0, 5) == "cuda:";
}

std::vector<FreeDevice> free_devices(const ScheduleInput& input) {
  std::vector<FreeDevice> free;
  for (const DeviceSlots& device : input.devices) free.push_back({&device, device.slots, device.memory_bytes, false});
  for (const RunningRun& run : input.running)
    for (FreeDevice& device : free)
      if (device.device->name == run.device) device.slots -= run.slots, device.memory_bytes -= run.memory_bytes;
  return free;
}

int64_t reserved_bytes(int64_t predicted_bytes, int64_t observed_peak_bytes) {
  constexpr double kAbovePeak = 1.05;
  if (observed_peak_bytes <= 0) return predicted_bytes;
  return static_cast<int64_t>(std::ceil(static_cast<double>(observed_peak_bytes) * kAbovePeak));
}

namespace {

using Demand = RunQueue::Demand;

// The ready runs of one sweep and priority, as far as they have not been started by this decision.
struct Contender {
  struct Next {
    size_t demand = 0;
    RunQueue::Places::const_iterator at, end;
  };
  const std::string* sweep = nullptr;
  double tag = 0;
  std::vector<Next> next;

  // The first of all demands; nothing when none is left.
  Next* first() {
    Next* best = nullptr;
    for (Next& n : next)
      if (best == nullptr || *n.at < *best->at) best = &n;
    return best;
  }
  void drop(Next* gone) {
    *gone = next.back();
    next.pop_back();
  }
};

class Deciding {
 public:
  explicit Deciding(const ScheduleInput& input)
      : input_(input), queue_(*input.queue), free_(free_devices(input)), blocked_(queue_.demands().size(), false) {
    virtual_time_ = queue_.virtual_time();
  }

  Decision run() {
    for (const auto& [priority, level] : queue_.ready()) {
      if (all_taken()) break;
      take_level(level);
    }
    if (!all_taken()) decision_.wake_at = queue_.next_wake();
    const size_t starts = decision_.starts.size();
    for (const auto& [run, before] : passed_)
      if (starts > before) decision_.passed_over.push_back({run->id, static_cast<int64_t>(starts - before)});
    return std::move(decision_);
  }

 private:
  // An empty slot of a kept device counts as taken: nobody else gets it.
  bool all_taken() const {
    return std::all_of(free_.begin(), free_.end(), [](const FreeDevice& d) { return d.kept || d.slots <= 0; });
  }

  void take_level(const RunQueue::Level& level) {
    std::vector<Contender> contenders;
    for (const auto& [sweep, group] : level) {
      if (queue_.is_held(sweep)) continue;
      Contender& contender = contenders.emplace_back();
      contender.sweep = &sweep;
      const auto known = tags_.find(sweep);
      contender.tag = known == tags_.end() ? queue_.start_tag(sweep) : known->second;
      for (const auto& [demand, places] : group) contender.next.push_back({demand, places.begin(), places.end()});
    }
    // What the sweeps in the heap are ordered by does not change while another one is served: virtual time only rises
    // to the least of them. Of equally served sweeps the one whose next run was submitted first.
    std::vector<std::tuple<double, int64_t, size_t>> heap;
    const auto enter = [&](size_t i) {
      if (contenders[i].next.empty()) return;
      heap.emplace_back(std::max(contenders[i].tag, virtual_time_), contenders[i].first()->at->position, i);
      std::push_heap(heap.begin(), heap.end(), std::greater<>());
    };
    for (size_t i = 0; i < contenders.size(); ++i) enter(i);
    while (!heap.empty() && !all_taken()) {
      std::pop_heap(heap.begin(), heap.end(), std::greater<>());
      const size_t i = std::get<2>(heap.back());
      heap.pop_back();
      try_first(contenders[i]);
      enter(i);
    }
  }

  // Starts the sweep's first run that fits, or finds out that its kind of demand fits nowhere any more: within one
  // decision devices only fill, so nobody with that demand need ask again.
  void try_first(Contender& sweep) {
    Contender::Next* next = sweep.first();
    const QueuedRun& run = *next->at->run;
    FreeDevice* device = blocked_[next->demand] ? nullptr : best_device(run);
    if (device == nullptr) {
      blocked_[next->demand] = true;
      passed_.emplace_back(&run, decision_.starts.size());
      if (run.passed_over >= input_.patience) keep_device(run);
      return sweep.drop(next);
    }
    device->slots -= device->slots_for(run);
    device->memory_bytes -= run.memory_bytes;
    decision_.starts.push_back({run.id, device->device->name});
    virtual_time_ = std::max(sweep.tag, virtual_time_);
    sweep.tag = virtual_time_ + queue_.charge(run);
    tags_[*sweep.sweep] = sweep.tag;
    if (++next->at == next->end) sweep.drop(next);
  }

  // Of the devices it fits on, the one with the largest share of free slots; the first named where they are equal.
  FreeDevice* best_device(const QueuedRun& run) {
    FreeDevice* best = nullptr;
    for (FreeDevice& device : free_) {
      if (!device.fits(run)) continue;
      if (best == nullptr || device.slots * best->device->slots > best->slots * device.device->slots) best = &device;
    }
    return best;
  }

  // The device that will fit it soonest, as far as free slots tell.
  void keep_device(const QueuedRun& run) {
    FreeDevice* best = nullptr;
    for (FreeDevice& device : free_)
      if (!device.kept && device.could_fit(run) && (best == nullptr || device.slots > best->slots)) best = &device;
    if (best != nullptr) best->kept = true;
  }

  const ScheduleInput& input_;
  const RunQueue& queue_;
  std::vector<FreeDevice> free_;
  std::vector<bool> blocked_;  // by demand
  std::map<std::string, double> tags_;
  double virtual_time_ = 0;
  std::vector<std::pair<const QueuedRun*, size_t>> passed_;  // with the number of starts before it
  Decision decision_;
};

}  // namespace

Decision decide(const ScheduleInput& input) {
  if (input.queue == nullptr) return {};
  return Deciding(input).run();
}

}  // namespace bitsweep::schedule
