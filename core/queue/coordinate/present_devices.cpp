#include "coordinate/present_devices.h"

#include "base/error.h"

namespace bitsweep::coordinate {

execute::VisibleGpus gpus_of_this_machine() {
  return execute::visible_gpus(execute::visible_variable(), execute::driver_gpus());
}

PresentDevices present_devices(std::vector<schedule::DeviceSlots> asked, const execute::VisibleGpus& visible) {
  PresentDevices devices;
  for (schedule::DeviceSlots& device : asked) {
    if (std::string sentence = hidden_gpu(device.name, visible); !sentence.empty())
      devices.missing.push_back(std::move(sentence));
    else
      devices.present.push_back(std::move(device));
  }
  return devices;
}

void require_devices(const std::vector<schedule::DeviceSlots>& devices) {
  std::vector<Diagnostic> wrong;
  for (std::string& sentence : present_devices(devices, gpus_of_this_machine()).missing)
    wrong.push_back({.message = std::move(sentence)});
  if (!wrong.empty()) throw Error(ErrorKind::environment, std::move(wrong));
}

}  // namespace bitsweep::coordinate
