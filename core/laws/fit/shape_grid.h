// The box of a law's shapes as a grid that closes in on what matters, for posteriors over shapes whose amplitudes are
// integrated out.
#pragma once

#include <vector>

#include <Eigen/Dense>

#include "fit/law.h"

namespace bitsweep::fit {

// A box of shapes in the logarithm, cut into equal cells.
struct ShapeGrid {
  Eigen::VectorXd low, high;
  int per_axis = 0;

  int cells() const;
  Eigen::VectorXd width() const { return (high - low) / per_axis; }
  // The place of a cell along an axis.
  int place(int cell, int axis) const;
  // The point at `offset` (in [0, 1) an axis) of a cell.
  Eigen::VectorXd at(int cell, const Eigen::VectorXd& offset) const;
  Eigen::VectorXd middle(int cell) const { return at(cell, Eigen::VectorXd::Constant(low.size(), 0.5)); }
};

// All that a law's shapes may be.
ShapeGrid whole_box(const Law& law);

// The box about the cells that matter and, in it, all of theirs. `log_weights`: of each cell.
ShapeGrid closer(const ShapeGrid& grid, const std::vector<double>& log_weights);
// Whether `next` is so much smaller than `grid` that it is worth weighing anew.
bool much_closer(const ShapeGrid& next, const ShapeGrid& grid);

// Indices that share the weights equally: [count], ascending. `at` in [0, 1).
std::vector<int> systematic(const std::vector<double>& log_weights, int count, double at);

}  // namespace bitsweep::fit
