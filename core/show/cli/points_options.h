// What the command line says of a file of points.
#pragma once

#include "cli/options.h"
#include "fit/points_csv.h"

namespace bitsweep::cli {

// What --help says of --points: each form that is read.
inline constexpr const char* kPointsHelp =
    "a file with the columns params, tokens, loss (and variant, dataset, seed, run, state): CSV with commas, "
    "semicolons or tabs, JSON lines, a JSON list; rows of one run are its checkpoints; unfinished rows are left out";

// --map, --units, --where, --label and --checkpoints of a command line that declares them.
fit::PointsFormat points_format(const CommandLine& line);

}  // namespace bitsweep::cli
