// What of a device is free, and whether a run fits: shared by the decision and its explanation.
#pragma once

#include "schedule/schedule.h"

namespace bitsweep::schedule {

struct FreeDevice {
  const DeviceSlots* device = nullptr;
  int64_t slots = 0;         // free
  int64_t memory_bytes = 0;  // free; meaningless where the device's is not accounted
  bool kept = false;         // for an earlier run

  bool is_for(std::string_view wish) const;
  // Slots and bytes are those of a QueuedRun or a RunQueue::Demand; one that is to be alone takes all there are.
  template <class Wants>
  int64_t slots_for(const Wants& run) const {
    return run.alone ? device->slots : run.slots;
  }
  template <class Wants>
  bool holds_slots(const Wants& run) const {
    return slots >= slots_for(run);
  }
  template <class Wants>
  bool holds_memory(const Wants& run) const {
    return device->memory_bytes == 0 || memory_bytes >= run.memory_bytes;
  }
  template <class Wants>
  bool fits(const Wants& run) const {
    return !kept && holds_slots(run) && holds_memory(run) && is_for(run.device);
  }
  // Would fit if nothing else ran there.
  template <class Wants>
  bool could_fit(const Wants& run) const {
    return is_for(run.device) && device->slots >= run.slots &&
           (device->memory_bytes == 0 || device->memory_bytes >= run.memory_bytes);
  }
};

std::vector<FreeDevice> free_devices(const ScheduleInput& input);

}  // namespace bitsweep::schedule
