// Which runs to make: the batch that leaves least variance of what is to be predicted, within a number of runs and a
// cost.
//
// Draws of the posterior become features: vectors whose products are the draws' covariances, so that a run that is
// made is one rank-one update of a small matrix. Every draw is a fantasised truth; what is told as remaining is the
// variance after the best linear use of the outcomes, on average over these truths. Basins are draws like others: a run
// that tells them apart is one whose outcome goes with the target's.
//
// The search is greedy by gain per cost^p for several p, because neither gain alone nor gain per cost is good under a
// budget (Leskovec et al. 2007), then improved by exchanges (Fedorov 1972). Deterministic.
#pragma once

#include <limits>
#include <optional>
#include <vector>

#include <Eigen/Dense>

#include "advise/noise.h"

namespace bitsweep::advise {

// What can be run and what is wanted. Columns are candidates and targets.
struct DesignProblem {
  Eigen::MatrixXd candidates;  // [features, M]
  Eigen::MatrixXd targets;     // [features, T]
  std::vector<double> cost;    // of one run of each candidate, > 0
  std::vector<int> available;  // runs of it that can still be made (unused seeds)
  std::vector<int> measured;   // runs of it that the posterior knows already
  NoiseModel noise;
};

// Features of the columns of `draws` ([draws, columns]), exact up to the variance `floor` of a column: modified
// Gram-Schmidt with pivoting. [features, columns].
Eigen::MatrixXd features_of(const Eigen::MatrixXd& draws, double floor);

struct BatchLimits {
  int runs = 8;
  double cost = std::numeric_limits<double>::infinity();
};

struct Batch {
  std::vector<size_t> picks;      // candidates, the one that buys most per cost first; one entry a run
  std::vector<double> remaining;  // mean over targets of variance / variance now, after each pick
  double cost = 0;
  double left() const { return remaining.empty() ? 1 : remaining.back(); }
};

// Empty when nothing is affordable or nothing helps.
Batch choose_batch(const DesignProblem& problem, const BatchLimits& limits);

// The cheapest batch of at most `runs` that is expected to leave no more than `goal` of the variance; nothing when no
// batch does.
std::optional<Batch> cheapest_batch(const DesignProblem& problem, int runs, double goal);

// The variance of each target after these picks. [T]
std::vector<double> target_variances(const DesignProblem& problem, const std::vector<size_t>& picks);

// What one run of each candidate alone would take away, as a fraction of the variance now. [M]
Eigen::ArrayXd single_gains(const DesignProblem& problem);

}  // namespace bitsweep::advise
