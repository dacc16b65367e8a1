// What a law can say of a target when nothing is known of the noise but its size: the lowest and the highest L(target)
// over every parameter with |measured − fitted| <= noise at every point. For given shapes the amplitudes that fit are a
// polytope, so the range is two linear programs; the shapes are searched.
#pragma once

#include <optional>
#include <utility>

#include <Eigen/Dense>

#include "fit/law.h"

namespace bitsweep::fit {

// max cᵀx over A x <= b, |x_j| <= bound: Seidel's incremental algorithm, for few variables. Nothing when infeasible.
// Deterministic.
std::optional<Eigen::VectorXd> linear_program(const Eigen::MatrixXd& a, const Eigen::VectorXd& b,
                                              const Eigen::VectorXd& c, double bound);

// Nothing when no parameters come within `noise` of every point. The upper end is infinity where amplitudes have no
// limit. `noise` is in the unit of the loss. `hint`: shapes known to fit, where a region too small for the grid may
// lie; empty for none.
std::optional<std::pair<double, double>> feasible_range(const Law& law, const std::vector<Point>& points,
                                                        const Point& target, double noise,
                                                        const Eigen::VectorXd& hint = {});

}  // namespace bitsweep::fit
