// From a law and its points to the lowest objective there is: a damped Newton descent from each of a grid of starts.
//
// The Huber loss at δ = 1e-3 is, for points that scatter by a hundredth, all but least absolute deviations: few points
// lie inside of δ, the curvature comes from those alone, a descent that meets a point's kink far from the minimum
// crawls along it, and there can be several local minima in the valley where (A, α) and (B, β) trade. Therefore:
//   1. every start descends by least squares of log loss, which has hardly more than one basin and no kinks: first in
//      the amplitudes, which shapes determine, then in all; starts that meet on the way (those of the same shapes after
//      the first step, others to 1e-7 in objective and 1e-3 in θ) are counted together from there on;
//   2. each distinct end descends through narrower and narrower δ to the one asked for;
//   3. the lowest starts also descend on that δ directly, for minima that step 2 would walk past.
#pragma once

#include <vector>

#include <Eigen/Dense>

#include "fit/newton.h"

namespace bitsweep::fit {

// Lowers objective.value() from `start`, inside the box. Never returns a higher objective than the start's.
Descent descend(Objective& objective, const Eigen::VectorXd& start);

// Steps 1 and 2 from one start: the way to a neighbouring data set's minimum (bootstrap, profiles). May end higher than
// it began.
Descent descend_wide(Objective& objective, const Eigen::VectorXd& start);

// The lowest point of a plane, from the one that the quadratic model at `from` expects there (from: near a minimum of
// the whole). The end lies on the plane to rounding; not converged where the plane misses the box.
Descent descend_on(Objective& objective, const Plane& plane, const Eigen::VectorXd& from);

// The places themselves, and each that has amplitudes at their floor once more with those at a hundredth of the loss:
// from next to nothing there is no slope to rise by.
std::vector<Eigen::VectorXd> with_lifted(const Objective& objective, std::vector<Eigen::VectorXd> places);

// The grid: every combination of the law's shape starts with its shares of the geometric-mean loss.
std::vector<Eigen::VectorXd> grid_of_starts(const Objective& objective);

struct Optimum {
  std::vector<Descent> basins;  // distinct local minima, lowest first; never empty when there is a start
  std::vector<int> arrivals;    // how many starts ended in each
  int starts = 0;               // descents: the starts, and those of step 3 once more
  double least_squares = 0;     // the lowest of step 1, ½ Σ (log L − log loss)²
  int starts_at_best = 0;       // ended within 1e-8 (relative) of the best objective
};

// Descends from every start. Leaves the objective as it was.
Optimum minimise(Objective& objective, const std::vector<Eigen::VectorXd>& starts);

}  // namespace bitsweep::fit
