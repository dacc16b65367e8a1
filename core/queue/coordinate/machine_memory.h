// How much memory the machine's devices have.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "schedule/schedule.h"

namespace bitsweep::coordinate {

// Of the processors: the machine's memory, or what this process's control group may have of it.
int64_t cpu_memory_bytes();

// Of the GPU with the least, as the driver's nvidia-smi tells; nothing without a driver or an answer.
std::optional<int64_t> gpu_memory_bytes();

// The devices with the memory that each has, so that no more is started there than fits; 0 where nothing tells. GPUs
// are asked once a process.
std::vector<schedule::DeviceSlots> with_memory(std::vector<schedule::DeviceSlots> devices);

// The least number of MiB among the lines of `nvidia-smi --query-gpu=memory.total`, in bytes.
std::optional<int64_t> least_gpu_bytes(std::string_view lines);

}  // namespace bitsweep::coordinate
