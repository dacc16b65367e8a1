#include <algorithm>
#include <cassert>

#include "schedule/fit_in.h"

namespace bitsweep {

bool before(const QueuedRun& a, const QueuedRun& b) {
  if (a.priority != b.priority) return a.priority > b.priority;
  return a.position < b.position;
}

bool FreeDevice::is_for(const QueuedRun& run) const {
  const std::string_view name = device->name;
  if (run.device == "any" || run.device == name) return true;
  return run.device == "cuda" && name.substr(0, 5) == "cuda:";
}

std::vector<FreeDevice> free_devices(const World& world) {
  std::vector<FreeDevice> free;
  for (const DeviceSlots& device : world.devices) free.push_back({&device, device.slots, device.memory_bytes, false});
  for (const RunningRun& run : world.running)
    for (FreeDevice& device : free)
      if (device.device->name == run.device) device.slots -= run.slots, device.memory_bytes -= run.memory_bytes;
  return free;
}

Readiness readiness(const QueuedRun& run, double now) {
  if (run.paused) return Readiness::paused;
  if (!run.init_from.empty()) {
    if (!run.init_from_state) return Readiness::dependency_failed;
    if (*run.init_from_state != RunState::done)
      return is_terminal(*run.init_from_state) ? Readiness::dependency_failed : Readiness::dependency;
  }
  return run.not_before > now ? Readiness::back_off : Readiness::ready;
}

namespace {

// Of the devices it fits on, the one with the largest share of free slots; the first named where they are equal.
FreeDevice* best_device(std::vector<FreeDevice>& free, const QueuedRun& run) {
  FreeDevice* best = nullptr;
  for (FreeDevice& device : free) {
    if (!device.fits(run)) continue;
    if (best == nullptr || device.slots * best->device->slots > best->slots * device.device->slots) best = &device;
  }
  return best;
}

// The device that will fit it soonest, as far as free slots tell.
FreeDevice* device_to_keep(std::vector<FreeDevice>& free, const QueuedRun& run) {
  FreeDevice* best = nullptr;
  for (FreeDevice& device : free)
    if (!device.kept && device.could_fit(run) && (best == nullptr || device.slots > best->slots)) best = &device;
  return best;
}

bool all_taken(const std::vector<FreeDevice>& free) {
  return std::all_of(free.begin(), free.end(), [](const FreeDevice& d) { return d.kept || d.slots <= 0; });
}

}  // namespace

Decision decide(const World& world) {
  assert(std::is_sorted(world.queued.begin(), world.queued.end(), before));
  Decision decision;
  std::vector<FreeDevice> free = free_devices(world);
  std::vector<std::pair<const QueuedRun*, size_t>> blocked;  // with the number of starts that came before it
  for (const QueuedRun& run : world.queued) {
    if (all_taken(free)) break;
    const Readiness state = readiness(run, world.now);
    if (state == Readiness::back_off)
      decision.wake_at = std::min(decision.wake_at.value_or(run.not_before), run.not_before);
    if (state != Readiness::ready) continue;
    if (FreeDevice* device = best_device(free, run)) {
      device->slots -= run.slots;
      device->memory_bytes -= run.memory_bytes;
      decision.starts.push_back({run.id, device->device->name});
      continue;
    }
    blocked.emplace_back(&run, decision.starts.size());
    if (run.passed_over < world.patience) continue;
    if (FreeDevice* device = device_to_keep(free, run)) device->kept = true;
  }
  for (const auto& [run, started_before] : blocked) {
    const auto times = static_cast<int64_t>(decision.starts.size() - started_before);
    if (times > 0) decision.passed_over.push_back({run->id, times});
  }
  return decision;
}

}  // namespace bitsweep
