# LibTorch as our own imported targets: the published CMake config insists on a CUDA toolkit. In: BITSWEEP_TORCH, a
# folder with include/ and lib/. Out: bitsweep_torch. Read by our own build and, installed, by find_package(bitsweep).
#
# A program links only libtorch_cpu and libc10; libtorch_cuda is loaded at run time when a run asks for a GPU. Two
# libraries that libtorch_cpu names, libcudart and libcupti, lie beside it or in its own search path.
foreach(needed include/ATen/ATen.h include/torch/headeronly/version.h lib/libtorch_cpu.so lib/libc10.so)
  if(NOT EXISTS "${BITSWEEP_TORCH}/${needed}")
    message(FATAL_ERROR
      "No LibTorch in ${BITSWEEP_TORCH} (missing ${needed}).\n"
      "third_party/get-libtorch (or ./quickstart) fetches it; -DBITSWEEP_TORCH=DIR names one of your own.")
  endif()
endforeach()
file(STRINGS "${BITSWEEP_TORCH}/include/torch/headeronly/version.h" bitsweep_torch_version
  REGEX "^#define TORCH_VERSION_(MAJOR|MINOR) ")
string(REGEX REPLACE "[^0-9]*([0-9]+)[^0-9]+([0-9]+).*" "\\1.\\2" bitsweep_torch_version "${bitsweep_torch_version}")
if(NOT bitsweep_torch_version VERSION_EQUAL 2.11)
  message(FATAL_ERROR "LibTorch 2.11 is needed; ${BITSWEEP_TORCH} holds ${bitsweep_torch_version}.")
endif()

if(NOT TARGET bitsweep_torch)
  foreach(library torch_cpu c10)
    add_library(${library} SHARED IMPORTED GLOBAL)
    set_target_properties(${library} PROPERTIES IMPORTED_LOCATION "${BITSWEEP_TORCH}/lib/lib${library}.so")
  endforeach()
  # LibTorch's include/ holds an fmt of its own (12), which would hide the one we link. A folder with ours alone comes first.
  get_target_property(bitsweep_fmt_includes fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
  find_path(bitsweep_fmt_include fmt/format.h HINTS ${bitsweep_fmt_includes} NO_CACHE REQUIRED)
  set(bitsweep_fmt_first "${CMAKE_BINARY_DIR}/third_party/fmt-first")
  file(MAKE_DIRECTORY "${bitsweep_fmt_first}")
  file(CREATE_LINK "${bitsweep_fmt_include}/fmt" "${bitsweep_fmt_first}/fmt" SYMBOLIC)
  add_library(bitsweep_torch INTERFACE IMPORTED GLOBAL)
  target_include_directories(bitsweep_torch SYSTEM INTERFACE
    "${bitsweep_fmt_first}" "${BITSWEEP_TORCH}/include" "${BITSWEEP_TORCH}/include/torch/csrc/api/include")
  target_link_libraries(bitsweep_torch INTERFACE torch_cpu c10)
  target_link_options(bitsweep_torch INTERFACE "LINKER:--allow-shlib-undefined")
endif()
