# LibTorch 2.11.0 as our own imported targets: the published CMake config insists on a CUDA toolkit.
# A program links only libtorch_cpu and libc10; libtorch_cuda is loaded at run time when a run asks for a GPU.
set(BITSWEEP_TORCH "${CMAKE_CURRENT_SOURCE_DIR}/libtorch" CACHE PATH "LibTorch: a folder with include/ and lib/")
foreach(needed include/ATen/ATen.h lib/libtorch_cpu.so lib/libc10.so)
  if(NOT EXISTS "${BITSWEEP_TORCH}/${needed}")
    message(FATAL_ERROR
      "No LibTorch in ${BITSWEEP_TORCH} (missing ${needed}).\n"
      "Run ./quickstart, which fetches it, or configure with -DBITSWEEP_TORCH=DIR for your own.")
  endif()
endforeach()
add_library(torch_cpu SHARED IMPORTED GLOBAL)
set_target_properties(torch_cpu PROPERTIES IMPORTED_LOCATION "${BITSWEEP_TORCH}/lib/libtorch_cpu.so")
add_library(c10 SHARED IMPORTED GLOBAL)
set_target_properties(c10 PROPERTIES IMPORTED_LOCATION "${BITSWEEP_TORCH}/lib/libc10.so")
add_library(bitsweep_torch INTERFACE)
target_include_directories(bitsweep_torch SYSTEM INTERFACE
  "$<BUILD_INTERFACE:${BITSWEEP_TORCH}/include>" "$<BUILD_INTERFACE:${BITSWEEP_TORCH}/include/torch/csrc/api/include>")
target_link_libraries(bitsweep_torch INTERFACE torch_cpu c10)
# libtorch_cpu names libcudart and libcupti, which lie beside it or in its own search path.
target_link_options(bitsweep_torch INTERFACE "-Wl,--allow-shlib-undefined")
