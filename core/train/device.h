// The device of a run: "cpu" or "cuda:N". LibTorch's CUDA half is a library of its own, loaded here and only when a run
// asks for a GPU, so that one build serves machines with and without one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <c10/core/Device.h>

namespace bitsweep {

struct DeviceName {
  bool cuda = false;
  int index = 0;  // as the machine numbers them (CUDA_DEVICE_ORDER=PCI_BUS_ID)
};

// Throws Error{input} for anything but "cpu" and "cuda:N".
DeviceName parse_device(std::string_view text);

// The position of GPU `index` among the visible ones, given CUDA_VISIBLE_DEVICES (nothing when unset: all are visible).
// A list of UUIDs cannot be held against an index: with one entry it is position 0. Throws Error{environment} when the
// GPU is not visible: the launcher gave this process another one.
int visible_position(int index, std::optional<std::string_view> cuda_visible_devices);

// The device to put tensors on. The first call for a GPU must come before any other question about CUDA, because
// LibTorch remembers the answer "none". Throws Error{environment} saying what is missing: LibTorch's CUDA library, a
// driver, the GPU.
c10::Device open_device(const DeviceName& name);

// Waits until `device` has done everything it was given; nothing to do on a CPU.
void synchronize(c10::Device device);

// The largest memory this process has had resident.
int64_t peak_rss_bytes();

}  // namespace bitsweep
