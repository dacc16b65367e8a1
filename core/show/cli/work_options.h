// Options that `run` and `work` share: on which devices, with how many slots and threads.
#pragma once

#include "cli/options.h"
#include "coordinate/coordinator.h"

namespace bitsweep::cli {

// Of verbs that queue sweeps: what --again does.
inline constexpr const char* kAgainHelp =
    "make finished runs anew that were made by another build of the code than the one at hand";

// --devices, --slots-per-device, --threads.
void declare_device_options(CommandLine& line);
// The same and --quiet.
void declare_work_options(CommandLine& line);

// Worker and plugins are found beside the program. Without --devices: every GPU that CUDA_VISIBLE_DEVICES leaves, one
// slot each; where there is none, the CPU with a slot for every thread, at most eight: small models scale better over
// runs than over threads. Throws Error{input}.
coordinate::WorkOptions work_options(const CommandLine& line);

// What stands between a root and work on it: without --devices, those that `bitsweep devices` has set; a warning when
// the checkpoints ahead will not fit on the disk. Throws Error{environment} when its disk is below the floor already,
// or cannot hold even one checkpoint of each run, or a GPU is asked for that is not there.
void prepare_root(store::Store& store, const CommandLine& line, coordinate::WorkOptions& options);

// The part that decides.
std::vector<schedule::DeviceSlots> default_devices(int64_t gpus, int64_t cores, int64_t slots_per_gpu);

}  // namespace bitsweep::cli
