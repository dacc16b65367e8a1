// Which of the devices that somebody asks for this machine has for us.
#pragma once

#include <string>
#include <vector>

#include "execute/gpus.h"
#include "schedule/schedule.h"

namespace bitsweep::coordinate {

// What the driver tells and this process's CUDA_VISIBLE_DEVICES leaves.
execute::VisibleGpus gpus_of_this_machine();

struct PresentDevices {
  std::vector<schedule::DeviceSlots> present;  // in their order
  std::vector<std::string> missing;  // a sentence for each of the others
};

// Processors are always there; so is any GPU where nothing tells how many there are. Pure.
PresentDevices present_devices(std::vector<schedule::DeviceSlots> asked, const execute::VisibleGpus& visible);

// Throws Error{environment}, with a sentence for each device that is not there.
void require_devices(const std::vector<schedule::DeviceSlots>& devices);

}  // namespace bitsweep::coordinate
