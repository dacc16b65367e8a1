// Iso-FLOP ladders and grids of a known surface, for the tests of this room.
#pragma once

#include <cmath>
#include <functional>
#include <vector>

#include "base/rng.h"
#include "fit/distributions.h"
#include "fit/points.h"
#include "frontier/joint_law.h"

namespace bitsweep::frontier {

using Truth = std::function<double(double params, double tokens)>;

// Hoffmann et al. 2022, approach 3.
inline JointLaw chinchilla() { return {1.69, 406.4, 410.7, 0.34, 0.28}; }
inline Truth truth_of(const JointLaw& law) {
  return [law](double params, double tokens) { return law.loss(params, tokens); };
}

inline fit::Point measured(const Truth& truth, double params, double tokens, double sd, uint64_t seed, uint64_t index) {
  fit::Point p;
  p.params = params, p.tokens = tokens;
  p.loss = truth(params, tokens) * std::exp(sd * fit::normal_quantile(random_unit(seed, 91, index) + 0x1p-54));
  return p;
}

// Seven sizes about the optimum of `law` at each budget, a factor of 1.6 apart.
inline std::vector<fit::Point> ladder_points(const Truth& truth, const std::vector<double>& budgets, double sd = 0,
                                             uint64_t seed = 0, const JointLaw& law = chinchilla()) {
  std::vector<fit::Point> points;
  for (const double flops : budgets)
    for (int i = -3; i <= 3; ++i) {
      const double params = law.divide(flops, 6)->params * std::pow(1.6, i);
      points.push_back(measured(truth, params, flops / (6 * params), sd, seed, points.size()));
    }
  return points;
}

inline std::vector<fit::Point> grid(const Truth& truth, const std::vector<double>& sizes,
                                    const std::vector<double>& lengths, double sd = 0, uint64_t seed = 0) {
  std::vector<fit::Point> points;
  for (const double n : sizes)
    for (const double d : lengths) points.push_back(measured(truth, n, d, sd, seed, points.size()));
  return points;
}

inline const std::vector<double> kBudgets = {1e18, 3e18, 1e19, 3e19, 1e20};

}  // namespace bitsweep::frontier
