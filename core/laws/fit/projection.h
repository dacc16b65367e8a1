// Variable projection: amplitudes are found by non-negative least squares for given shapes, so that the search is over
// shapes alone (Golub, Pereyra 1973). Shares no step with the descents, and so checks them.
#pragma once

#include <Eigen/Dense>

#include "fit/objective.h"

namespace bitsweep::fit {

// x >= 0 that minimises |Ax − b|² (Lawson, Hanson 1974, chapter 23).
Eigen::VectorXd nonnegative_least_squares(const Eigen::MatrixXd& a, const Eigen::VectorXd& b);

struct Projection {
  double objective = 0;  // ½ Σ (log L − log loss)², at its lowest
  Eigen::VectorXd amplitudes, shapes;
};

// The least-squares fit of log loss: a grid over the shapes, then a simplex search from its best cells.
Projection project(const Objective& objective);

}  // namespace bitsweep::fit
