// How long the runs of plans that are not done will take, for whoever waits for them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace bitsweep::prepare {

// Seconds until the last run ends when `slots` of them are at work, each slot taking the next in the order that the
// sweeps ask for. Nothing when the time of a run is not known, or no run is left.
std::optional<double> expected_seconds(const std::vector<plan::Plan>& plans, int64_t slots);

// "19 runs to train: about 3m 20s, 2 at once"; "" where expected_seconds() says nothing.
std::string expected_text(const std::vector<plan::Plan>& plans, int64_t slots);

}  // namespace bitsweep::prepare
