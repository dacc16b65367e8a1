// "cpu:2,cuda:0" as people write it.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/error.h"
#include "schedule/schedule.h"

namespace bitsweep::schedule {
namespace {

constexpr int64_t kMostSlots = 4096;

// -1 when it is none.
int64_t whole_number(std::string_view text) {
  int64_t value = -1;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() ? value : -1;
}

DeviceSlots parse_device(std::string_view part, int64_t slots_per_device, std::vector<Diagnostic>& wrong) {
  const size_t colon = part.find(':');
  const std::string_view kind = part.substr(0, colon);
  const int64_t number = colon == std::string_view::npos ? -1 : whole_number(part.substr(colon + 1));
  if (kind == "cpu" && colon == std::string_view::npos) return {"cpu", slots_per_device, 0};
  if (kind == "cpu" && number >= 1 && number <= kMostSlots) return {"cpu", number, 0};
  if (kind == "cuda" && number >= 0 && number < kMostSlots) return {std::string(part), slots_per_device, 0};
  wrong.push_back({.message = fmt::format(
                       "device '{}': expected cpu:SLOTS or cuda:INDEX, as in 'cpu:2' or 'cuda:0,cuda:1'", part)});
  return {};
}

}  // namespace

std::vector<DeviceSlots> parse_devices(std::string_view text, int64_t slots_per_device) {
  std::vector<Diagnostic> wrong;
  if (slots_per_device < 1 || slots_per_device > kMostSlots)
    wrong.push_back({.message = fmt::format("slots per device {}: expected 1 to {}", slots_per_device, kMostSlots)});
  std::vector<DeviceSlots> devices;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const DeviceSlots device = parse_device(text.substr(begin, end - begin), slots_per_device, wrong);
    const bool twice =
        std::any_of(devices.begin(), devices.end(), [&](const auto& d) { return d.name == device.name; });
    if (twice && !device.name.empty())
      wrong.push_back({.message = fmt::format("device '{}' is named twice", device.name)});
    devices.push_back(device);
    begin = end + 1;
  }
  if (!wrong.empty()) throw Error(ErrorKind::input, wrong);
  return devices;
}

}  // namespace bitsweep::schedule
