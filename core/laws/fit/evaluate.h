// A law at given values of its parameters.
#pragma once

#include <Eigen/Dense>

#include "fit/law.h"

namespace bitsweep::fit {

// The law's loss at a point. `amplitudes` [terms], `shapes` as the law has them.
double law_at(const Law& law, const Eigen::VectorXd& amplitudes, const Eigen::VectorXd& shapes, const Point& at);

// Loss by each of K draws of a law at each target: [K, T]; NaN where the law cannot speak of one (Law::missing).
// `amplitudes` [K, terms], `shapes` [K, shapes].
Eigen::MatrixXd drawn_losses(const Law& law, const Eigen::MatrixXd& amplitudes, const Eigen::MatrixXd& shapes,
                             const std::vector<Target>& targets);

}  // namespace bitsweep::fit
