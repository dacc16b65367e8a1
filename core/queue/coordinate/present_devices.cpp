#include "coordinate/present_devices.h"

#include "base/error.h"

namespace bitsweep {

VisibleGpus gpus_of_this_machine() { return visible_gpus(visible_variable(), driver_gpus()); }

PresentDevices present_devices(std::vector<DeviceSlots> asked, const VisibleGpus& visible) {
  PresentDevices devices;
  for (DeviceSlots& device : asked) {
    if (std::string sentence = hidden_gpu(device.name, visible); !sentence.empty())
      devices.missing.push_back(std::move(sentence));
    else
      devices.present.push_back(std::move(device));
  }
  return devices;
}

void require_devices(const std::vector<DeviceSlots>& devices) {
  std::vector<Diagnostic> wrong;
  for (std::string& sentence : present_devices(devices, gpus_of_this_machine()).missing)
    wrong.push_back({.message = std::move(sentence)});
  if (!wrong.empty()) throw Error(ErrorKind::environment, std::move(wrong));
}

}  // namespace bitsweep
