// What the command line says of a file of points.
#pragma once

#include "cli/options.h"
#include "fit/points_csv.h"

namespace bitsweep {

// --map, --units, --where and --label of a command line that declares them.
PointsFormat points_format(const CommandLine& line);

}  // namespace bitsweep
