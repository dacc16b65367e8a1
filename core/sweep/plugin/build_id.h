// Names everything that must be equal between the worker and a plugin for a C++ object to cross between them: compiler
// major version, C++ ABI, standard library ABI, LibTorch version, and the layout of bitsweep::Model. Compared as text.
//
// Needs LibTorch's include folder (its version header only, a few macros); included by plugin.cpp files and the worker.
#pragma once

#include <torch/headeronly/version.h>

#define BITSWEEP_STRINGIFY_(x) #x
#define BITSWEEP_STRINGIFY(x) BITSWEEP_STRINGIFY_(x)

// Raised whenever nn/model.h, or a block that plugins hold, changes in a way that compiled plugins would not survive.
#define BITSWEEP_MODEL_LAYOUT 7

#if defined(__clang__)
#define BITSWEEP_COMPILER_ID "clang" BITSWEEP_STRINGIFY(__clang_major__)
#elif defined(__GNUC__)
#define BITSWEEP_COMPILER_ID "gcc" BITSWEEP_STRINGIFY(__GNUC__)
#else
#error "unknown compiler: name it in build_id.h"
#endif

#if defined(_GLIBCXX_USE_CXX11_ABI)
#define BITSWEEP_STDLIB_ID "libstdcxx" BITSWEEP_STRINGIFY(_GLIBCXX_USE_CXX11_ABI)
#else
#define BITSWEEP_STDLIB_ID "libcxx"
#endif

#define BITSWEEP_TORCH_ID                                                                                             \
  "torch" BITSWEEP_STRINGIFY(TORCH_VERSION_MAJOR) "." BITSWEEP_STRINGIFY(TORCH_VERSION_MINOR) "." BITSWEEP_STRINGIFY( \
      TORCH_VERSION_PATCH)

// "gcc12 abi1017 libstdcxx1 torch2.11.0 model2"
#define BITSWEEP_BUILD_ID                                                                                        \
  BITSWEEP_COMPILER_ID " abi" BITSWEEP_STRINGIFY(__GXX_ABI_VERSION) " " BITSWEEP_STDLIB_ID " " BITSWEEP_TORCH_ID \
                                                                    " model" BITSWEEP_STRINGIFY(BITSWEEP_MODEL_LAYOUT)
