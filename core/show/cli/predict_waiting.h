// The hidden verb that predicts the runs that wait, as the prediction loop starts it.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"

namespace bitsweep::cli {

// Its words; no sweeps: all. `maker`: the verb that asks.
std::vector<std::string> predict_waiting_command(const fs::path& root, const std::vector<std::string>& sweeps,
                                                 const std::string& maker);

}  // namespace bitsweep::cli
