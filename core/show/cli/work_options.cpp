#include "cli/work_options.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"
#include "coordinate/attempt_files.h"
#include "coordinate/machine_memory.h"
#include "coordinate/present_devices.h"
#include "execute/cpu_claim.h"
#include "predict/extrapolate.h"
#include "prepare/programs.h"
#include "store/control.h"

namespace bitsweep::cli {
namespace {

constexpr int64_t kMostCpuSlots = 8;

int64_t usable_cores() { return std::max<int64_t>(1, static_cast<int64_t>(execute::usable_cpus().size())); }

}  // namespace

void declare_device_options(CommandLine& line) {
  line.value("devices", "where to run: cpu:SLOTS, cuda:INDEX, separated by commas")
      .value("slots-per-device", "runs at once on each GPU (default 1)")
      .value("threads", "CPU threads, shared by the slots (default: all cores)");
}

void declare_work_options(CommandLine& line) {
  declare_device_options(line);
  line.quiet_option()
      .flag("float", "let the system move runs on the CPU about; without it each keeps to processors of its own")
      .value("hung-after", "a run that tells and does nothing for so long is taken for hung (default 10m; 0: never)")
      .value("disk-floor", "free bytes of the root's disk below which nothing is started (default 1G; 0: none)")
      .flag("wait-for-room", "start though the disk cannot hold a checkpoint of each run; they pause when it is full");
}

std::vector<schedule::DeviceSlots> default_devices(int64_t gpus, int64_t cores, int64_t slots_per_gpu) {
  if (gpus == 0) return {{"cpu", std::clamp<int64_t>(cores, 1, kMostCpuSlots), 0}};
  std::vector<schedule::DeviceSlots> devices;
  for (int64_t i = 0; i < gpus; ++i) devices.push_back({"cuda:" + std::to_string(i), slots_per_gpu, 0});
  return devices;
}

namespace {

// Of an option, by one of the parsers of units.h; nothing when it is not given.
std::optional<double> quantity(const CommandLine& line, const char* name, const char* expected,
                               std::optional<double> (*parse)(std::string_view)) {
  const auto text = line.get(name);
  if (!text) return std::nullopt;
  const auto value = parse(*text);
  if (!value || *value < 0 || *value > 1e18)
    throw Error(ErrorKind::input, fmt::format("--{} '{}': expected {}", name, *text, expected));
  return value;
}

}  // namespace

coordinate::WorkOptions work_options(const CommandLine& line) {
  coordinate::WorkOptions options;
  if (const auto seconds = quantity(line, "hung-after", "a time such as 10m, or 0", parse_duration_s))
    options.hung_after_s = *seconds;
  if (const auto bytes = quantity(line, "disk-floor", "a size such as 2G, or 0", parse_size))
    options.disk_floor_bytes = static_cast<int64_t>(*bytes);
  options.own_cpus = !line.has("float");
  const auto slots = static_cast<int64_t>(line.number("slots-per-device", 1, 64).value_or(1));
  const int64_t cores = usable_cores();
  options.threads = static_cast<int64_t>(line.number("threads", 1, 4096).value_or(static_cast<double>(cores)));
  const auto devices = line.get("devices");
  options.slots_per_device = slots;
  options.devices = coordinate::with_memory(
      devices ? schedule::parse_devices(*devices, slots)
              : default_devices(static_cast<int64_t>(coordinate::gpus_of_this_machine().names.size()), options.threads,
                                slots));
  options.worker_program = prepare::worker_program();
  options.plugin_folder = prepare::plugin_folder();
  options.curve_end = predict::extrapolate_curve;
  return options;
}

namespace {

// What is sure not to fit is not begun: one checkpoint of each run in the queue that keeps any, where each run that has
// begun has perhaps written its own already.
void require_room(store::Store& store, const CommandLine& line, const coordinate::WorkOptions& options) {
  if (line.has("wait-for-room")) return;
  const store::CheckpointsAhead ahead = checkpoints_ahead(store, options.sweeps);
  double bytes = 0;
  for (const store::CheckpointsAhead::Begun& run : ahead.begun) {
    const fs::path folder = store.paths().run(run.run);
    if (!coordinate::best_checkpoint(folder))
      bytes += static_cast<double>(coordinate::checkpoint_bytes(folder, run.params));
  }
  bytes += static_cast<double>(coordinate::checkpoint_bytes({}, 1)) * ahead.params;
  const fs::path& root = store.paths().root;
  const uint64_t free = free_bytes(root);
  const double room = static_cast<double>(free) - static_cast<double>(std::max<int64_t>(0, options.disk_floor_bytes));
  if (room < 0 || bytes <= room) return;  // below the floor already: said in its own words
  const std::string floor =
      options.disk_floor_bytes > 0
          ? fmt::format(" above the floor of {}", format_bytes(static_cast<double>(options.disk_floor_bytes)))
          : "";
  throw Error(ErrorKind::environment,
              fmt::format("disk: one checkpoint of each run in the queue takes about {}, but {} are free in '{}'{}; "
                          "make room ('bitsweep gc' deletes checkpoints that nobody needs), name another --root, or "
                          "start with --wait-for-room: runs then pause while the disk is full",
                          format_bytes(bytes), format_bytes(room), root.string(), floor));
}

}  // namespace

void prepare_root(store::Store& store, const CommandLine& line, coordinate::WorkOptions& options) {
  const store::Control control = read_control(store);
  if (line.get("devices")) {
    if (!control.devices.empty()) set_devices(store, "", 1);  // the newer word
  } else if (!control.devices.empty()) {
    options.devices = coordinate::with_memory(schedule::parse_devices(control.devices, control.slots_per_device));
    options.slots_per_device = control.slots_per_device;
  }
  coordinate::require_devices(options.devices);
  require_room(store, line, options);
  if (options.disk_floor_bytes <= 0) return;
  const fs::path& root = store.paths().root;
  const uint64_t free = free_bytes(root);
  if (free < static_cast<uint64_t>(options.disk_floor_bytes))
    throw Error(ErrorKind::environment, coordinate::disk_words(root, free, options.disk_floor_bytes) +
                                            "; make room, or set another floor with --disk-floor");
  const double room = static_cast<double>(free) - static_cast<double>(options.disk_floor_bytes);
  if (const double ahead = coordinate::predicted_checkpoint_bytes(store, what_is_ahead(store, options.sweeps));
      ahead > room)
    print_error(fmt::format(
        "disk: checkpoints of what is queued will take about {}, but {} are free above the floor of "
        "{}; runs will wait for room",
        format_bytes(ahead), format_bytes(room), format_bytes(static_cast<double>(options.disk_floor_bytes))));
}

}  // namespace bitsweep::cli
