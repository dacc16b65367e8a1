// What of a device is free, and whether a run fits: shared by the decision and its explanation.
#pragma once

#include "schedule/schedule.h"

namespace bitsweep {

struct FreeDevice {
  const DeviceSlots* device = nullptr;
  int64_t slots = 0;         // free
  int64_t memory_bytes = 0;  // free; meaningless where the device's is not accounted
  bool kept = false;         // for an earlier run

  bool is_for(const QueuedRun& run) const;
  bool holds_slots(const QueuedRun& run) const { return slots >= run.slots; }
  bool holds_memory(const QueuedRun& run) const {
    return device->memory_bytes == 0 || memory_bytes >= run.memory_bytes;
  }
  bool fits(const QueuedRun& run) const { return !kept && is_for(run) && holds_slots(run) && holds_memory(run); }
  // Would fit if nothing else ran there.
  bool could_fit(const QueuedRun& run) const {
    return is_for(run) && device->slots >= run.slots &&
           (device->memory_bytes == 0 || device->memory_bytes >= run.memory_bytes);
  }
};

std::vector<FreeDevice> free_devices(const World& world);

enum class Readiness { ready, paused, back_off, dependency, dependency_failed };
Readiness readiness(const QueuedRun& run, double now);

}  // namespace bitsweep
