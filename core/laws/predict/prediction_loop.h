// Predictions anew as runs finish.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "coordinate/coordinator.h"

namespace bitsweep {

// Fits again as runs finish, and stores what the law then says of those that wait, while `inner` tells people what
// happens. Nothing is fitted before a run has finished. The fit is this program again with the words of `command`
// (exit 0: something new was stored), at most one in a hundred seconds of its own time; a failure of it is never one
// of a run. `quiet`: that it happens is not told.
std::unique_ptr<Progress> predicting_progress(std::unique_ptr<Progress> inner, std::vector<std::string> command,
                                              bool quiet);

}  // namespace bitsweep
