#include "train/device.h"

#include <charconv>
#include <cstdlib>

#include <ATen/ATen.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "train/cuda_library.h"
#include "train/gpu_uuid.h"

namespace bitsweep::train {
namespace {

std::optional<int> parse_index(std::string_view text) {
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || value < 0 || value > 127) return std::nullopt;
  return value;
}

int count_gpus() {
  try {
    return at::globalContext().hasCUDA() ? static_cast<int>(at::detail::getCUDAHooks().deviceCount()) : 0;
  } catch (const c10::Error&) {
    return 0;  // a driver that is too old, or none
  }
}

}  // namespace

DeviceName parse_device(std::string_view text) {
  if (text == "cpu") return {};
  if (text.starts_with("cuda:"))
    if (const auto index = parse_index(text.substr(5))) return {.cuda = true, .index = *index};
  throw Error(ErrorKind::input, fmt::format("device '{}': expected cpu or cuda:N", text));
}

c10::Device open_device(const DeviceName& name) {
  if (!name.cuda) return c10::Device(at::kCPU);
  load_cuda_library();
  const int count = count_gpus();
  if (count == 0)
    throw Error(ErrorKind::environment,
                "a GPU was asked for, but CUDA finds none (nvidia-smi lists them; the device cpu needs none): no "
                "NVIDIA driver, or no visible GPU");
  if (name.index >= count)
    throw Error(ErrorKind::environment,
                fmt::format("cuda:{} was asked for, but only {} GPUs are visible", name.index, count));
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES"); visible != nullptr)
    require_named_gpu(visible, gpu_uuid(name.index));
  return c10::Device(at::kCUDA, static_cast<c10::DeviceIndex>(name.index));
}

void load_everything() {
  try {
    const at::InferenceMode guard;
    at::mm(at::ones({2, 2}), at::ones({2, 2}));
    if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES"); visible != nullptr && *visible != '\0')
      load_cuda_library();
  } catch (const std::exception&) {  // the run will meet it again
  }
}

void synchronize(c10::Device device) {
  if (!device.is_cpu()) c10::impl::getDeviceGuardImpl(device.type())->synchronizeDevice(device.index());
}

// Not getrusage: its peak begins with what the starting process held when it started this one, a text that `plan` had
// mapped among it.
int64_t peak_rss_bytes() {
  const std::string status = read_if_there("/proc/self/status");
  constexpr std::string_view key = "VmHWM:";
  const size_t at = status.find(key);
  if (at == std::string::npos) return 0;
  const char* digits = status.c_str() + at + key.size();
  while (*digits == ' ' || *digits == '\t') ++digits;
  int64_t kib = 0;
  std::from_chars(digits, status.c_str() + status.size(), kib);
  return kib * 1024;
}

}  // namespace bitsweep::train
