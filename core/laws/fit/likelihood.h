// The points as independent observations: what profiles and posterior draws are made from.
#pragma once

#include <string>
#include <vector>

#include <Eigen/Dense>

#include "fit/law.h"

namespace bitsweep::fit {

struct Observations {
  std::vector<Point> points;  // one a configuration, with the geometric mean of its seeds' losses
  Eigen::ArrayXd weights;     // how many runs of usual scatter each is worth
  double freedom = 0;         // Σ of shares that count − parameters
};

// The seeds of a configuration become one observation. One that lies further from `log_fitted` (log L
// at each of `points`; empty: no law is known yet) than usual scatter does once in a thousand counts less, by the
// square. The checkpoints of a run (Law::within_runs) count by the correlation of neighbouring residuals.
Observations observations(const Law& law, const std::vector<Point>& points, const Eigen::ArrayXd& log_fitted);

// Configurations that lie so far from the law that it does not hold there, or their runs went wrong: twice as far as
// where they begin to count less, and more than a thousandth.
struct FarObservations {
  double usual = 0;  // the scatter of the others, of log loss
  int of = 0;        // configurations
  struct One {
    Point point;
    double log_residual = 0;
  };
  std::vector<One> far;  // the farthest first
};
FarObservations far_observations(const Law& law, const std::vector<Point>& points, const Eigen::ArrayXd& log_fitted);
std::string far_sentence(const FarObservations& seen);  // "" where none is far

// The pooled scatter of log loss among the seeds of a configuration, and its degrees of freedom.
struct SeedNoise {
  double sd = 0;
  double freedom = 0;  // 0: no configuration was run twice
};
SeedNoise seed_noise(const std::vector<Point>& points);

// The noise of log loss to go by where the points do not tell it (`freedom` < 1, else 0): that of repeated seeds, else
// half of the stated size of residuals (in the unit of the loss).
double known_noise(const std::vector<Point>& points, double freedom, double stated);

// Whether points are checkpoints of runs, which are not independent of each other: by the law, or as they were read.
bool are_checkpoints(const Law& law, const std::vector<Point>& points);

// Whether points that share a configuration can be its seeds: none says the same seed twice. Else they differ in what
// the law does not see (settings), and their scatter is not that of seeds.
bool repeats_are_seeds(const std::vector<Point>& points);

// Groups that a resample draws whole: configurations, or runs where points are their checkpoints.
std::vector<int> resampling_groups(const Law& law, const std::vector<Point>& points);

}  // namespace bitsweep::fit
