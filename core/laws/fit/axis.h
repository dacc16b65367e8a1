// The quantities that laws read of a run, and what several laws ask of them.
#pragma once

#include <vector>

#include "fit/points.h"

namespace bitsweep::fit {

// lr_area and annealing: of the learning-rate schedule up to a checkpoint (curve.h).
enum class Axis { params, tokens, unique_tokens, lr_area, annealing };

double axis_value(const Point& point, Axis axis);
double axis_value(const Target& target, Axis axis);
const char* axis_name(Axis axis);

// The mean of the logarithm: the origin of the axis inside of a law, which makes amplitude and exponent nearly
// independent of each other there.
double log_center(const std::vector<Point>& points, Axis axis);

// How many different values there are, those within a thousandth counted once.
int distinct_values(const std::vector<Point>& points, Axis axis);

// max(1, target / largest, smallest / target).
double extrapolation_factor(const std::vector<Point>& points, double target, Axis axis);

// The box of an exponent. Below the lower bound a power of a size is a straight line in its logarithm over any range
// that can be run; above the upper one only the smallest run would matter.
inline constexpr double kExponentMin = 1e-4;
inline constexpr double kExponentMax = 5;
// `count` values, evenly in the logarithm, over what has been measured for language models and a decade around it.
std::vector<double> exponent_starts(int count);

}  // namespace bitsweep::fit
