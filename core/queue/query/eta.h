// How long the queue will take, from measured rates. Pure.
#pragma once

#include <optional>
#include <vector>

#include "query/rows.h"

namespace bitsweep::query {

// Training seconds left of one run: by its own newest rate, else by the rate of the run of the same plugin whose size
// is nearest (a token's cost grows with the parameters). Nothing when no run of the plugin has been measured; 0 when
// ended.
std::optional<double> remaining_s(const RunRow& run, const std::vector<RunRow>& runs);

// Of all that is queued or live, `slots` at a time. Nothing when some run cannot be estimated.
std::optional<double> remaining_total_s(const std::vector<RunRow>& runs, int64_t slots);

}  // namespace bitsweep::query
