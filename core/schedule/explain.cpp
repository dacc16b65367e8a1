// Why a queued run waits, in words.
#include <algorithm>

#include <fmt/format.h>

#include "base/units.h"
#include "schedule/fit_in.h"

namespace bitsweep {
namespace {

std::string device_names(const World& world) {
  std::string names;
  for (const DeviceSlots& device : world.devices) names += (names.empty() ? "" : ", ") + device.name;
  return names.empty() ? "none" : names;
}

Explanation explain_unready(const QueuedRun& run, Readiness state, double now) {
  switch (state) {
    case Readiness::paused:
      return {Wait::paused, "paused"};
    case Readiness::dependency:
      return {Wait::dependency,
              fmt::format("starts from run {}, which is {}", run.init_from, to_text(*run.init_from_state))};
    case Readiness::dependency_failed:
      return {Wait::dependency_failed,
              run.init_from_state
                  ? fmt::format("starts from run {}, which is {}", run.init_from, to_text(*run.init_from_state))
                  : fmt::format("starts from run {}, which is not in this root", run.init_from)};
    default:
      return {Wait::back_off, fmt::format("tried again in {} after a fault", format_duration(run.not_before - now))};
  }
}

Explanation explain_blocked(const World& world, const QueuedRun& run, const std::vector<FreeDevice>& mine) {
  const auto ahead = std::count_if(world.queued.begin(), world.queued.end(), [&](const QueuedRun& other) {
    return before(other, run) && readiness(other, world.now) == Readiness::ready;
  });
  const std::string queue = ahead == 0 ? "next in line" : fmt::format("{} before it", ahead);
  const bool slots = std::any_of(mine.begin(), mine.end(), [&](const FreeDevice& d) { return d.holds_slots(run); });
  if (slots)
    return {Wait::no_free_memory,
            fmt::format("needs {} on a device; {}", format_bytes(static_cast<double>(run.memory_bytes)), queue)};
  return {Wait::no_free_slot, fmt::format("needs {} free slot{}; {}", run.slots, run.slots == 1 ? "" : "s", queue)};
}

}  // namespace

Explanation explain(const World& world, const QueuedRun& run) {
  const Readiness state = readiness(run, world.now);
  if (state != Readiness::ready) return explain_unready(run, state, world.now);
  std::vector<FreeDevice> mine = free_devices(world);
  std::erase_if(mine, [&](const FreeDevice& device) { return !device.is_for(run); });
  if (mine.empty())
    return {Wait::no_such_device, fmt::format("asks for device {}; at work are: {}", run.device, device_names(world))};
  std::erase_if(mine, [&](const FreeDevice& device) { return !device.could_fit(run); });
  if (mine.empty())
    return {Wait::too_large, fmt::format("asks for {} slots and {}; no device has so much", run.slots,
                                         format_bytes(static_cast<double>(run.memory_bytes)))};
  if (std::any_of(mine.begin(), mine.end(), [&](const FreeDevice& d) { return d.fits(run); }))
    return {Wait::ready, "next to start"};
  return explain_blocked(world, run, mine);
}

}  // namespace bitsweep
