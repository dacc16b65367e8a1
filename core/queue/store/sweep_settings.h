// What a sweep says of its runs as a whole, and its one form as JSON in the database (sweep.settings).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace bitsweep::store {

struct SweepSettings {
  struct Stop {
    std::string metric = "val_bpc";
    int64_t grace = 0, reduction = 3, fewest = 4;
    double probability = 0.95;
    std::vector<std::string> within;
    // Multiple of the uniform model's loss above which a run has diverged; 0: none does. The usual one is not written,
    // so that the settings of sweeps that do not name it stay as they were.
    double diverged = kUsualDiverged;
    static constexpr double kUsualDiverged = 2;
  };
  struct Target {
    double params = 0, tokens = 0;
  };

  int64_t stop_after = 0;  // failed runs after which no more are started; 0: go on
  std::string stop_rule = "none";
  Stop stop;
  std::string order = "longest";   // which of its runs begin first: longest | shortest; the usual one is not written
  std::vector<std::string> after;  // sweeps and runs that must have ended
  std::string on_oom = "fail";
  std::vector<std::string> laws;  // of its report
  std::vector<Target> targets;
};

json::object to_json(const SweepSettings& settings);
// What is missing or of another type is as usual: settings of older versions, of imported and of recovered sweeps.
SweepSettings sweep_settings_from(const json::object& object);

}  // namespace bitsweep::store
