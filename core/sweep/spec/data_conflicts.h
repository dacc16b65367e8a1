// What no single key of a run's data can be wrong about.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "spec/run_spec.h"

namespace bitsweep::spec {

struct Conflict {
  const char* path;  // the key to be shown
  std::string message;
};

// The first one. `given`: whether the sweep sets the key at that path.
std::optional<Conflict> data_conflict(const RunSpec& run, const std::function<bool(const char*)>& given);

// A note for each key that changes nothing in this run, though it may well be given. `own`: whether the sweep file
// itself sets the key, rather than what it extends.
std::vector<std::string> idle_keys(const RunSpec& run, const std::function<bool(const char*)>& own);

}  // namespace bitsweep::spec
