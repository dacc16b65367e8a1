// The machine's GPUs by name. An index can come to mean another GPU between two starts (one fell off the bus, a
// container shows other ones); a UUID cannot.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace bitsweep {

// UUIDs ("GPU-…") in the order of the PCI bus, in which CUDA numbers them with CUDA_DEVICE_ORDER=PCI_BUS_ID; "" for one
// that the driver does not tell. Asks the driver's files, not CUDA, which would take a second and a part of each GPU.
std::vector<std::string> driver_gpus(const fs::path& folder = "/proc/driver/nvidia/gpus");

// The one GPU that a run on `device` ("cpu", "cuda:N") may see, as CUDA_VISIBLE_DEVICES takes it: a UUID where it is
// known, else an index; "" for none. `visible` is the coordinator's own CUDA_VISIBLE_DEVICES (nothing: unset), whose
// N-th entry is meant then.
std::string visible_gpu(std::string_view device, const std::optional<std::string>& visible,
                        const std::vector<std::string>& gpus);

}  // namespace bitsweep
