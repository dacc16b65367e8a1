// The machine's GPUs by name. An index can come to mean another GPU between two starts (one fell off the bus, a
// container shows other ones); a UUID cannot.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace bitsweep::execute {

// UUIDs ("GPU-…") in the order of the PCI bus, in which CUDA numbers them with CUDA_DEVICE_ORDER=PCI_BUS_ID; "" for one
// that the driver does not tell. Asks the driver's files, not CUDA, which would take a second and a part of each GPU.
std::vector<std::string> driver_gpus(const fs::path& folder = "/proc/driver/nvidia/gpus");

// The value of CUDA_VISIBLE_DEVICES in this process; nothing when it is not set.
std::optional<std::string> visible_variable();

// The GPUs that a process may use, as CUDA_VISIBLE_DEVICES takes one: cuda:N is names[N].
struct VisibleGpus {
  std::vector<std::string> names;  // a UUID where it is known, else an index
  bool counted = true;   // false: nothing says how many there are (no driver's files, no variable); all may be
  std::string variable;  // CUDA_VISIBLE_DEVICES as it is set; "" when it is not, or empty
  std::string ends_at;   // its first entry that is no GPU, where CUDA stops to read; "" when all were read
  std::string why;       // … and why it is none, in words
};

// What `variable` (CUDA_VISIBLE_DEVICES; nothing: not set) leaves of the machine's `gpus`, read as CUDA reads it: a
// list of indices, of UUIDs or of their beginnings as long as one GPU alone has it ("GPU-8f3c"), and of MIG devices,
// which the driver's files do not tell and which are taken as they stand. It ends before the first entry that is none
// of these; "" is no GPU. A GPU that is named twice is one.
VisibleGpus visible_gpus(const std::optional<std::string>& variable, const std::vector<std::string>& gpus);

// The one GPU that a run on `device` ("cpu", "cuda:N") may see; "" for a processor's, and for a GPU that is not there.
std::string visible_gpu(std::string_view device, const VisibleGpus& visible);

// For a GPU's `device` that is not among the visible ones, a sentence: what is asked for, what there is, and why no
// more. "" for one that is, and for a processor.
std::string hidden_gpu(std::string_view device, const VisibleGpus& visible);

}  // namespace bitsweep::execute
