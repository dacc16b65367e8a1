// The name of the data of a fit: which runs, where they lie, what they measured.
#pragma once

#include <string>
#include <vector>

#include "fit/points.h"

namespace bitsweep::fit {

// 16 hex digits of SHA-256 over the points, whatever their order; the same points of the same runs give the same hash.
std::string data_hash(const std::vector<Point>& points);

}  // namespace bitsweep::fit
