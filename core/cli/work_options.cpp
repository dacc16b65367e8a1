#include "cli/work_options.h"

#include <algorithm>

#include <sched.h>

namespace bitsweep {
namespace {

constexpr int64_t kMostCpuSlots = 8;

int64_t usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

// What the driver shows, without asking CUDA, which costs a second.
int64_t count_gpus() {
  std::error_code code;
  int64_t count = 0;
  for (const auto& entry : fs::directory_iterator("/proc/driver/nvidia/gpus", code)) count += entry.is_directory(code);
  return count;
}

}  // namespace

void declare_device_options(CommandLine& line) {
  line.value("devices", "where to run: cpu:SLOTS, cuda:INDEX, separated by commas")
      .value("slots-per-device", "runs at once on each GPU (default 1)")
      .value("threads", "CPU threads, shared by the slots (default: all cores)");
}

void declare_work_options(CommandLine& line) {
  declare_device_options(line);
  line.flag("quiet,q", "say only what went wrong");
}

std::vector<DeviceSlots> default_devices(int64_t gpus, int64_t cores, int64_t slots_per_gpu) {
  if (gpus == 0) return {{"cpu", std::clamp<int64_t>(cores, 1, kMostCpuSlots), 0}};
  std::vector<DeviceSlots> devices;
  for (int64_t i = 0; i < gpus; ++i) devices.push_back({"cuda:" + std::to_string(i), slots_per_gpu, 0});
  return devices;
}

WorkOptions work_options(const CommandLine& line) {
  WorkOptions options;
  const auto slots = static_cast<int64_t>(line.number("slots-per-device", 1, 64).value_or(1));
  const int64_t cores = usable_cores();
  options.threads = static_cast<int64_t>(line.number("threads", 1, 4096).value_or(static_cast<double>(cores)));
  const auto devices = line.get("devices");
  options.devices = devices ? parse_devices(*devices, slots) : default_devices(count_gpus(), options.threads, slots);
  options.worker_program = worker_program();
  options.plugin_folder = plugin_folder();
  return options;
}

}  // namespace bitsweep
