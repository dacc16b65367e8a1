// One budget for the laws of several variants: each gets the part with which least variance is left in sum. Pure.
#pragma once

#include <vector>

namespace bitsweep::advise {

// left[v][k]: the variance left at the targets of law v when it has k of the parts, k = 0 … K; all rows as long. How
// many of the K parts each law gets, so that the sum of what is left is the least there is. Exact, by dynamic
// programming.
std::vector<int> divide_parts(const std::vector<std::vector<double>>& left);

}  // namespace bitsweep::advise
