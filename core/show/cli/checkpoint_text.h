// What `fit` says of the runs and checkpoints behind a law.
#pragma once

#include <string>
#include <vector>

#include "fit/fit.h"

namespace bitsweep::cli {

// "24 points, 12 configurations", or, where the course of runs is known, "6 runs, 762 checkpoints".
std::string counts_text(const fit::FitResult& fit, const std::vector<fit::Point>& points);

// "; 12 configurations, 1000 resamples of them in --json": what stands behind intervals.
std::string groups_text(const fit::FitResult& fit);

// Of runs to one budget the checkpoints say what their ends cannot: a warning that names the ways.
void advise_checkpoints(const std::vector<fit::Point>& points, fit::FitResult& fit);

}  // namespace bitsweep::cli
