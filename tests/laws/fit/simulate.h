// Points drawn from a known law, for the tests of the fit.
#pragma once

#include <cmath>
#include <numbers>
#include <vector>

#include "base/rng.h"
#include "fit/points.h"

namespace bitsweep::fit {

struct TrueLaw {
  double e = 1.69, a = 406.4, b = 410.7, alpha = 0.34, beta = 0.28;  // Hoffmann et al. 2022, approach 3
  double operator()(double params, double tokens) const {
    return e + a / std::pow(params, alpha) + b / std::pow(tokens, beta);
  }
};

// Standard normal, value i of a stream.
inline double normal(uint64_t seed, uint64_t i) {
  const double u = 1 - random_unit(seed, 77, 2 * i), v = random_unit(seed, 77, 2 * i + 1);
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

inline Point make_point(double params, double tokens, double loss) {
  Point p;
  p.params = params;
  p.tokens = tokens;
  p.loss = loss;
  return p;
}

// Every size with every budget; log-normal noise of the given spread.
inline std::vector<Point> grid_points(const TrueLaw& law, const std::vector<double>& sizes,
                                      const std::vector<double>& budgets, double sd = 0, uint64_t seed = 0) {
  std::vector<Point> points;
  for (const double n : sizes) {
    for (const double d : budgets)
      points.push_back(make_point(n, d, law(n, d) * std::exp(sd * normal(seed, points.size()))));
  }
  return points;
}

// Log-uniform in both axes.
inline std::vector<Point> random_points(const TrueLaw& law, int count, double sd, uint64_t seed) {
  std::vector<Point> points;
  for (int i = 0; i < count; ++i) {
    const double n = std::floor(std::pow(10, 6.5 + 3 * random_unit(seed, 5, i)));
    const double d = std::floor(std::pow(10, 8 + 3 * random_unit(seed, 6, i)));
    points.push_back(make_point(n, d, law(n, d) * std::exp(sd * normal(seed, i))));
  }
  return points;
}

}  // namespace bitsweep::fit
