// Predictions anew as runs finish.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "coordinate/coordinator.h"

namespace bitsweep::predict {

// Seconds of a processor that one fit may take; the command keeps to it.
inline constexpr int kMostPredicting_s = 60;

// Fits again as runs finish, and stores what the law then says of those that wait, while `inner` tells people what
// happens. Nothing is fitted before a run has finished. The fit is this program again with the words of `command`
// (exit 0: something new was stored), at most one in a hundred seconds of a processor's time; a failure of it is never
// one of a run. `quiet`: that it happens is not told.
std::unique_ptr<coordinate::Progress> predicting_progress(std::unique_ptr<coordinate::Progress> inner,
                                                          std::vector<std::string> command, bool quiet);

}  // namespace bitsweep::predict
