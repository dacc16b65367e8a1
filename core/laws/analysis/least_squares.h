// Weighted least squares of a few columns, as setting_law needs it. Pure.
#pragma once

#include <optional>
#include <vector>

namespace bitsweep::analysis {

struct LeastSquares {
  std::vector<double> coefficients;
  std::vector<std::vector<double>> covariance;  // for a noise of variance 1 / weight
  double squares = 0;                           // weighted, of the residuals
  double freedom = 0;                           // rows − columns
};

// `rows`: the columns' values of each observation, all of one length. Nothing where there are fewer rows than columns,
// or where columns depend on each other.
std::optional<LeastSquares> least_squares(const std::vector<std::vector<double>>& rows, const std::vector<double>& y,
                                          const std::vector<double>& weights);

// gᵀ C g.
double quadratic_form(const std::vector<std::vector<double>>& matrix, const std::vector<double>& g);

}  // namespace bitsweep::analysis
