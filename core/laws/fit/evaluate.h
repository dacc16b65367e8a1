// A law at given values of its parameters.
#pragma once

#include <Eigen/Dense>

#include "fit/law.h"

namespace bitsweep::fit {

// The law's loss at a point. `amplitudes` [terms], `shapes` as the law has them.
double law_at(const Law& law, const Eigen::VectorXd& amplitudes, const Eigen::VectorXd& shapes, const Point& at);

}  // namespace bitsweep::fit
