// What no single key of a run's data can be wrong about.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "spec/run_spec.h"

namespace bitsweep::spec {

struct Conflict {
  const char* path;  // the key to be shown
  std::string message;
};

// The first one. `given`: whether the sweep sets the key at that path.
std::optional<Conflict> data_conflict(const RunSpec& run, const std::function<bool(const char*)>& given);

}  // namespace bitsweep::spec
