// Normal, Student's t and chi-squared, as far as intervals need them.
#pragma once

#include <cstdint>

namespace bitsweep::fit {

double normal_cdf(double x);
// Wichura 1988, algorithm AS 241; 16 digits. ±infinity at 1 and 0.
double normal_quantile(double p);
// t with P(T <= t) = p; freedom > 0, not necessarily whole. Relative error below 1e-10.
double student_quantile(double p, double freedom);
// One draw, a function of (seed, stream); freedom > 0. Marsaglia, Tsang 2000.
double chi_squared_draw(double freedom, uint64_t seed, uint64_t stream);

}  // namespace bitsweep::fit
