// Why a queued run waits, in words.
#include <algorithm>

#include <fmt/format.h>

#include "base/units.h"
#include "schedule/fit_in.h"

namespace bitsweep::schedule {
namespace {

std::string device_names(const ScheduleInput& input) {
  std::string names;
  for (const DeviceSlots& device : input.devices) names += (names.empty() ? "" : ", ") + device.name;
  return names.empty() ? "none" : names;
}

Explanation explain_unready(const ScheduleInput& input, const QueuedRun& run, Readiness state) {
  switch (state) {
    case Readiness::paused:
      return {Wait::paused, "paused"};
    case Readiness::held:
      return {Wait::held, input.queue->why_held(run.sweep)};
    case Readiness::dependency:
      return {Wait::dependency,
              fmt::format("starts from run {}, which is {}", run.init_from, to_text(*run.init_from_state))};
    case Readiness::dependency_failed:
      return {Wait::dependency_failed,
              run.init_from_state
                  ? fmt::format("starts from run {}, which is {}", run.init_from, to_text(*run.init_from_state))
                  : fmt::format("starts from run {}, which is not in this root", run.init_from)};
    default:
      return {Wait::back_off,
              fmt::format("tried again in {} after a fault", format_duration(run.not_before - input.now))};
  }
}

std::string size_text(int64_t bytes) { return format_bytes(static_cast<double>(bytes)); }

// The most that any of them has free now.
int64_t most_free_bytes(const std::vector<FreeDevice>& devices) {
  int64_t most = 0;
  for (const FreeDevice& device : devices) most = std::max(most, device.memory_bytes);
  return most;
}

Explanation explain_blocked(const ScheduleInput& input, const QueuedRun& run, const std::vector<FreeDevice>& mine) {
  const int64_t ahead = input.queue->ready_before(run);
  const std::string queue = ahead == 0 ? "next in line" : fmt::format("{} before it", ahead);
  if (run.alone)
    return {Wait::no_free_slot, fmt::format("waits for a device of its own, having run out of memory; {}", queue)};
  const bool slots = std::any_of(mine.begin(), mine.end(), [&](const FreeDevice& d) { return d.holds_slots(run); });
  if (slots)
    return {Wait::no_free_memory, fmt::format("needs {} on a device, of which {} are free; {}",
                                              size_text(run.memory_bytes), size_text(most_free_bytes(mine)), queue)};
  return {Wait::no_free_slot, fmt::format("needs {} free slot{}; {}", run.slots, run.slots == 1 ? "" : "s", queue)};
}

}  // namespace

Explanation explain(const ScheduleInput& input, const QueuedRun& run) {
  const Readiness state = input.queue->readiness(run, input.now);
  if (state != Readiness::ready) return explain_unready(input, run, state);
  std::vector<FreeDevice> mine = free_devices(input);
  std::erase_if(mine, [&](const FreeDevice& device) { return !device.is_for(run.device); });
  if (mine.empty())
    return {Wait::no_such_device, fmt::format("asks for device {}; at work are: {}", run.device, device_names(input))};
  std::erase_if(mine, [&](const FreeDevice& device) { return !device.could_fit(run); });
  if (mine.empty())
    return {Wait::too_large, fmt::format("asks for {} slot{} and {}; no device has so much", run.slots,
                                         run.slots == 1 ? "" : "s", size_text(run.memory_bytes))};
  if (std::any_of(mine.begin(), mine.end(), [&](const FreeDevice& d) { return d.fits(run); })) {
    const int64_t ahead = input.queue->ready_before(run);
    return {Wait::ready, ahead == 0 ? "next to start" : fmt::format("ready; {} before it", ahead)};
  }
  return explain_blocked(input, run, mine);
}

}  // namespace bitsweep::schedule
