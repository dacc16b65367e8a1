// Losses of two units in one column: nats and bits, a token and a byte. Pure.
#pragma once

#include <string>
#include <vector>

#include "fit/points.h"

namespace bitsweep::fit {

// A sentence where the losses, less what size and tokens explain, fall into two groups with a wide gap between them; ""
// else. Names the variants or datasets where they are the groups.
std::string mixed_units(const std::vector<Point>& points);

}  // namespace bitsweep::fit
