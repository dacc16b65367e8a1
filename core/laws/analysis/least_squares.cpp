#include "analysis/least_squares.h"

#include <cmath>

namespace bitsweep::analysis {
namespace {

constexpr double kDependent = 1e-10;  // of a pivot beside its own diagonal

// The inverse of a symmetric positive matrix, by its Cholesky factor; nothing where it is not.
std::optional<std::vector<std::vector<double>>> inverse(const std::vector<std::vector<double>>& a) {
  const size_t n = a.size();
  std::vector<std::vector<double>> l(n, std::vector<double>(n, 0)), inv = l;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double sum = a[i][j];
      for (size_t k = 0; k < j; ++k) sum -= l[i][k] * l[j][k];
      if (i == j && !(sum > kDependent * a[i][i])) return std::nullopt;
      l[i][j] = i == j ? std::sqrt(sum) : sum / l[j][j];
    }
  }
  for (size_t c = 0; c < n; ++c) {
    std::vector<double> x(n, 0);
    for (size_t i = 0; i < n; ++i) {
      double sum = i == c ? 1 : 0;
      for (size_t k = 0; k < i; ++k) sum -= l[i][k] * x[k];
      x[i] = sum / l[i][i];
    }
    for (size_t i = n; i-- > 0;) {
      double sum = x[i];
      for (size_t k = i + 1; k < n; ++k) sum -= l[k][i] * x[k];
      x[i] = sum / l[i][i];
      inv[i][c] = x[i];
    }
  }
  return inv;
}

}  // namespace

std::optional<LeastSquares> least_squares(const std::vector<std::vector<double>>& rows, const std::vector<double>& y,
                                          const std::vector<double>& weights) {
  if (rows.empty() || rows.size() < rows[0].size()) return std::nullopt;
  const size_t n = rows[0].size();
  std::vector<std::vector<double>> a(n, std::vector<double>(n, 0));
  std::vector<double> b(n, 0);
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t i = 0; i < n; ++i) {
      b[i] += weights[r] * rows[r][i] * y[r];
      for (size_t j = 0; j < n; ++j) a[i][j] += weights[r] * rows[r][i] * rows[r][j];
    }
  }
  auto covariance = inverse(a);
  if (!covariance) return std::nullopt;
  LeastSquares fit;
  fit.covariance = std::move(*covariance);
  fit.coefficients.assign(n, 0);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) fit.coefficients[i] += fit.covariance[i][j] * b[j];
  for (size_t r = 0; r < rows.size(); ++r) {
    double residual = y[r];
    for (size_t i = 0; i < n; ++i) residual -= rows[r][i] * fit.coefficients[i];
    fit.squares += weights[r] * residual * residual;
  }
  fit.freedom = static_cast<double>(rows.size()) - static_cast<double>(n);
  return fit;
}

double quadratic_form(const std::vector<std::vector<double>>& matrix, const std::vector<double>& g) {
  double sum = 0;
  for (size_t i = 0; i < g.size(); ++i)
    for (size_t j = 0; j < g.size(); ++j) sum += g[i] * matrix[i][j] * g[j];
  return sum;
}

}  // namespace bitsweep::analysis
