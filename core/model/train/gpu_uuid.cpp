#include "train/gpu_uuid.h"

#include <array>

#include <dlfcn.h>

#include <fmt/format.h>

#include "base/error.h"

namespace bitsweep::train {
namespace {

// Of the driver API (cuda.h), by name: its header is not needed to build, nor its library to run.
using Uuid = std::array<unsigned char, 16>;
using Init = int (*)(unsigned);
using DeviceGet = int (*)(int*, int);
using DeviceGetUuid = int (*)(Uuid*, int);

constexpr size_t kDigits = 36;  // of "8f3c5c4e-1111-2222-3333-444455556666"

std::string text_of(const Uuid& uuid) {
  std::string text = "GPU-";
  for (size_t i = 0; i < uuid.size(); ++i)
    text += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
  return text;
}

// Without "GPU-" or "MIG-"; nothing for what is no whole UUID.
std::string_view digits_of(std::string_view name) {
  const size_t prefix = name.find('-');
  if (!name.starts_with("GPU-") && !name.starts_with("MIG-")) return {};
  name.remove_prefix(prefix + 1);
  return name.size() == kDigits && name.find(',') == std::string_view::npos ? name : std::string_view();
}

}  // namespace

std::optional<std::string> gpu_uuid(int position, const char* driver_library) {
  void* driver = ::dlopen(driver_library, RTLD_NOW | RTLD_LOCAL);  // stays: CUDA itself lives in it
  if (driver == nullptr) return std::nullopt;
  const auto init = reinterpret_cast<Init>(::dlsym(driver, "cuInit"));
  const auto get = reinterpret_cast<DeviceGet>(::dlsym(driver, "cuDeviceGet"));
  auto get_uuid = reinterpret_cast<DeviceGetUuid>(::dlsym(driver, "cuDeviceGetUuid_v2"));
  if (get_uuid == nullptr) get_uuid = reinterpret_cast<DeviceGetUuid>(::dlsym(driver, "cuDeviceGetUuid"));
  int device = 0;
  Uuid uuid{};
  if (init == nullptr || get == nullptr || get_uuid == nullptr || init(0) != 0 || get(&device, position) != 0 ||
      get_uuid(&uuid, device) != 0)
    return std::nullopt;
  return text_of(uuid);
}

void require_named_gpu(std::string_view visible, const std::optional<std::string>& seen) {
  const std::string_view named = digits_of(visible);
  if (named.empty() || !seen || digits_of(*seen) == named) return;
  throw Error(ErrorKind::environment,
              fmt::format("this process was given {} (CUDA_VISIBLE_DEVICES), but CUDA shows it {}", visible, *seen));
}

}  // namespace bitsweep::train
