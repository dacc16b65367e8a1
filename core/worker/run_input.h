// What every verb that builds a run's model starts with.
#pragma once

#include <cstdint>

#include "base/files.h"
#include "spec/run_spec.h"

namespace bitsweep {

// A spec.json. Throws Error{input}.
RunSpec read_run_spec(const fs::path& path);

// Threads of LibTorch, within an operation; none run side by side.
void set_threads(int64_t threads);

}  // namespace bitsweep
