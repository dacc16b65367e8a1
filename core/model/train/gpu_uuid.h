// Which GPU CUDA really gave this process, held against the one its launcher named.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bitsweep::train {

// "GPU-8f3c5c4e-…" (MIG devices: their own) of the GPU at `position` among the visible ones, by the driver's library.
// Nothing when there is no driver, no such GPU, or a driver that has no name for it.
std::optional<std::string> gpu_uuid(int position, const char* driver_library = "libcuda.so.1");

// Throws Error{environment} when `visible` (CUDA_VISIBLE_DEVICES) names one GPU by its whole UUID and `seen` is another
// one: two runs would share a GPU while a third stands idle. An index or a list says nothing that could be checked.
void require_named_gpu(std::string_view visible, const std::optional<std::string>& seen);

}  // namespace bitsweep::train
