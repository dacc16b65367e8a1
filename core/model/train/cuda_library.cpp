#include "train/cuda_library.h"

#include <string>

#include <dlfcn.h>
#include <link.h>

#include <fmt/format.h>

#include "base/error.h"

namespace bitsweep::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCpuLibrary = "libtorch_cpu.so";
constexpr const char* kCudaLibrary = "libtorch_cuda.so";

struct Search {
  std::string_view file_name;
  std::string path;
};

// A callback of the linker, which holds its lock: compares, copies and goes.
int compare_loaded(dl_phdr_info* loaded, size_t, void* data) {
  Search& search = *static_cast<Search*>(data);
  const std::string_view path = loaded->dlpi_name == nullptr ? "" : loaded->dlpi_name;
  if (path.empty()) return 0;  // the program itself
  if (path.substr(path.rfind('/') + 1) != search.file_name) return 0;
  search.path = path;
  return 1;
}

}  // namespace

std::optional<fs::path> folder_of_loaded(std::string_view file_name) {
  Search search{file_name, {}};
  if (::dl_iterate_phdr(compare_loaded, &search) == 0) return std::nullopt;
  return fs::absolute(search.path).lexically_normal().parent_path();
}

void load_cuda_library(const fs::path& torch_folder) {
  const fs::path library = torch_folder / kCudaLibrary;
  std::error_code unreadable;
  if (!fs::exists(library, unreadable))
    throw Error(ErrorKind::environment,
                fmt::format("a GPU was asked for, but this LibTorch is one for processors alone: it has no '{}'; take "
                            "the device cpu, or build on a LibTorch with CUDA: BITSWEEP_TORCH=python ./quickstart "
                            "where python3 has such a torch, else BITSWEEP_TORCH=DIR ./quickstart",
                            library.string()));
  if (::dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return;
  throw Error(ErrorKind::environment,
              fmt::format("a GPU was asked for, but LibTorch's CUDA library cannot be loaded: {}; take the device cpu, "
                          "or mend that installation of torch (NVIDIA's libraries for it are packages of their own)",
                          ::dlerror()));
}

void load_cuda_library() {
  const auto folder = folder_of_loaded(kCpuLibrary);
  if (!folder)
    throw Error(ErrorKind::environment,
                fmt::format("a GPU was asked for, but no {} is loaded, beside which LibTorch's CUDA library would lie; "
                            "take the device cpu",
                            kCpuLibrary));
  load_cuda_library(*folder);
}

}  // namespace bitsweep::train
