#pragma once

#include <vector>

namespace bitsweep {

// The middle value, of an even number the mean of the two middle ones. `values` must not be empty.
double median(std::vector<double> values);

}  // namespace bitsweep
