// What a person sees while runs are at work, and the list of what failed at the end.
#pragma once

#include <memory>
#include <string>

#include "coordinate/coordinator.h"

namespace bitsweep::cli {

// Lines on stderr; on a terminal a live table beneath them. `quiet` says only what went wrong.
std::unique_ptr<coordinate::Progress> make_progress(bool quiet);

// The list of failed runs with their causes, for the end of `run` and `work`; "" when all went well.
std::string failure_text(const coordinate::WorkResult& result, const store::RootPaths& paths);

}  // namespace bitsweep::cli
