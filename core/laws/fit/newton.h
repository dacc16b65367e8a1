// One damped Newton descent on an objective: over its box, or over the part of a plane that is in the box.
//
// The model is the exact Hessian plus a multiple of a positive majoriser of the curvature, so that steps are Newton's
// where the objective is smooth and short where its kinks leave no curvature.
#pragma once

#include <vector>

#include <Eigen/Dense>

#include "fit/objective.h"

namespace bitsweep::fit {

struct Descent {
  Eigen::VectorXd theta;
  double objective = 0;
  int iterations = 0;
  bool converged = false;  // no step of the box could lower the objective by more than rounding
};

// Solves (H + μM + a little M) x = b over some parameters, by Cholesky; keeps its memory.
class Solver {
 public:
  // False when the matrix is not positive definite.
  bool factor(const Eigen::MatrixXd& hessian, const Eigen::MatrixXd& majoriser, double mu,
              const std::vector<int>& free);
  // x, 0 outside of `free`.
  void solve(const Eigen::VectorXd& b, const std::vector<int>& free, Eigen::VectorXd& x);

 private:
  double& at(int row, int column) { return l_[static_cast<size_t>(row) * m_ + column]; }
  int m_ = 0;
  std::vector<double> l_, y_;
};

class Newton {
 public:
  // Both outlive it. Without a plane: over the whole box.
  explicit Newton(Objective& objective, const Plane* plane = nullptr) : objective_(objective), plane_(plane) {}

  // Descends from at.theta on the objective as it stands. Converged: what can still be won is below `tolerance` of the
  // objective.
  void run(Descent& at, double tolerance, int max_iterations);

  // Where the quadratic model at θ expects the lowest point of the plane.
  Eigen::VectorXd expected_on_plane(const Eigen::VectorXd& theta);

 private:
  double differentiate(const Eigen::VectorXd& theta);
  void choose_free(const Eigen::VectorXd& theta);
  double slope_along_plane(const Eigen::VectorXd& theta);
  bool solve(double mu, const Eigen::VectorXd& theta);
  void take_step(const Eigen::VectorXd& theta);
  double predicted_change(double mu) const;

  Objective& objective_;
  const Plane* plane_;
  Solver solver_;
  std::vector<int> free_;  // parameters that are not held at a bound
  Eigen::VectorXd gradient_, step_, next_, across_;
  Eigen::MatrixXd hessian_, majoriser_;
};

}  // namespace bitsweep::fit
