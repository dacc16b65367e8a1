#include "coordinate/machine_memory.h"

#include <algorithm>
#include <charconv>
#include <string>

#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "execute/capture.h"

namespace bitsweep::coordinate {
namespace {

constexpr double kAnswerSeconds = 10;

std::optional<int64_t> leading_number(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return std::nullopt;
  int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data() + begin, text.data() + text.size(), value);
  return code == std::errc() ? std::optional(value) : std::nullopt;
}

// "max" and a missing file are no limit.
std::optional<int64_t> group_limit(const fs::path& path) {
  try {
    return leading_number(read_file(path, 64));
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

int64_t cpu_memory_bytes() {
  int64_t bytes = static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<int64_t>(::sysconf(_SC_PAGE_SIZE));
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"})
    if (const auto limit = group_limit(path); limit && *limit > 0) bytes = std::min(bytes, *limit);
  return bytes;
}

std::optional<int64_t> least_gpu_bytes(std::string_view lines) {
  std::optional<int64_t> least;
  for (size_t begin = 0; begin < lines.size();) {
    const size_t end = std::min(lines.find('\n', begin), lines.size());
    if (const auto mebibytes = leading_number(lines.substr(begin, end - begin)); mebibytes && *mebibytes > 0)
      least = std::min(least.value_or(*mebibytes << 20), *mebibytes << 20);
    begin = end + 1;
  }
  return least;
}

std::optional<int64_t> gpu_memory_bytes() {
  std::error_code code;
  if (!fs::exists("/proc/driver/nvidia/version", code)) return std::nullopt;
  try {
    const execute::Captured said =
        execute::capture({"/usr/bin/env", "nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"},
                         "", kAnswerSeconds);
    return said.ok() ? least_gpu_bytes(said.out) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::vector<schedule::DeviceSlots> with_memory(std::vector<schedule::DeviceSlots> devices) {
  for (schedule::DeviceSlots& device : devices) {
    if (device.name == "cpu") {
      device.memory_bytes = cpu_memory_bytes();
    } else {
      static const int64_t kGpu = gpu_memory_bytes().value_or(0);
      device.memory_bytes = kGpu;
    }
  }
  return devices;
}

}  // namespace bitsweep::coordinate
