// The device of a run: "cpu" or "cuda:N". LibTorch's CUDA half is a library of its own, loaded here and only when a run
// asks for a GPU, so that one build serves machines with and without one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <c10/core/Device.h>

namespace bitsweep::train {

struct DeviceName {
  bool cuda = false;
  int index = 0;  // among those that CUDA_VISIBLE_DEVICES lets this process see; the launcher shows it one
};

// Throws Error{input} for anything but "cpu" and "cuda:N".
DeviceName parse_device(std::string_view text);

// The device to put tensors on. The first call for a GPU must come before any other question about CUDA, because
// LibTorch remembers the answer "none". Throws Error{environment} saying what is missing: LibTorch's CUDA library, a
// driver, the GPU, or that it is another one than CUDA_VISIBLE_DEVICES names.
c10::Device open_device(const DeviceName& name);

// What every run on this machine will want of LibTorch, before it is known which run: its tables of operators, and its
// CUDA library where CUDA_VISIBLE_DEVICES names a GPU. Starts no threads, draws no random numbers, takes no memory of a
// GPU. Never throws: whoever needs what is missing says so.
void load_everything();

// Waits until `device` has done everything it was given; nothing to do on a CPU.
void synchronize(c10::Device device);

// The most memory this process has had resident since its program began; 0 where the system does not say.
int64_t peak_rss_bytes();

}  // namespace bitsweep::train
