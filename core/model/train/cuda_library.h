// LibTorch's CUDA half, libtorch_cuda.so: where the loaded LibTorch has it, and loading it from there.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace bitsweep::train {

// The folder that the loaded shared library of this file name lies in, as the dynamic linker tells; nothing when none
// of that name is loaded. The linker is asked, and not where a function of the library is: the address of a function
// that this program itself names may be an entry of the program's own.
std::optional<std::filesystem::path> folder_of_loaded(std::string_view file_name);

// Loads `torch_folder`/libtorch_cuda.so, with its symbols for all that is loaded later. Throws Error{environment}: the
// LibTorch of that folder has no CUDA half, or the half does not load (the linker's reason is told).
void load_cuda_library(const std::filesystem::path& torch_folder);

// Of the LibTorch that this program runs on: the folder of the loaded libtorch_cpu.so.
void load_cuda_library();

}  // namespace bitsweep::train
