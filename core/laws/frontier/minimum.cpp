#include "frontier/minimum.h"

#include <algorithm>
#include <cmath>

#include <Eigen/Dense>

namespace bitsweep::frontier {
namespace {

constexpr double kWindow = 1.8;      // of log N to either side of the best size: further out no parabola holds
constexpr size_t kFewestPoints = 4;  // taken all the same, where there are so many
constexpr double kFlat = 1;          // times its standard error: curvature below is none

struct Parabola {
  double middle = 0;                                 // of log N
  Eigen::Vector3d value = Eigen::Vector3d::Zero();   // log loss = v0 + v1 x + v2 x², x = log N − middle
  Eigen::Matrix3d spread = Eigen::Matrix3d::Zero();  // (XᵀX)⁻¹
  double squares = 0;
  size_t points = 0;
  double low = 0, high = 0;                  // x of the outermost sizes of the slice
  bool best_low = false, best_high = false;  // the best size is an end of the slice
};

Parabola parabola_of(const Slice& slice) {
  const auto best = std::min_element(slice.points.begin(), slice.points.end(),
                                     [](const SlicePoint& a, const SlicePoint& b) { return a.loss < b.loss; });
  std::vector<SlicePoint> near = slice.points;
  const auto away = [&](const SlicePoint& p) { return std::abs(std::log(p.params / best->params)); };
  std::stable_sort(near.begin(), near.end(),
                   [&](const SlicePoint& a, const SlicePoint& b) { return away(a) < away(b); });
  while (near.size() > kFewestPoints && away(near.back()) > kWindow) near.pop_back();
  Parabola fit;
  fit.points = near.size();
  fit.middle = std::log(best->params);
  const auto n = static_cast<Eigen::Index>(near.size());
  Eigen::MatrixXd x(n, 3);
  Eigen::VectorXd y(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const double at = std::log(near[static_cast<size_t>(i)].params) - fit.middle;
    x.row(i) << 1, at, at * at;
    y[i] = std::log(near[static_cast<size_t>(i)].loss);
  }
  fit.value = x.colPivHouseholderQr().solve(y);
  fit.spread = (x.transpose() * x).inverse();
  fit.squares = (y - x * fit.value).squaredNorm();
  fit.low = std::log(slice.points.front().params) - fit.middle;
  fit.high = std::log(slice.points.back().params) - fit.middle;
  fit.best_low = best == slice.points.begin();
  fit.best_high = best + 1 == slice.points.end();
  return fit;
}

// Where the vertex is no minimum between the sizes of the slice. `scatter`: of log loss.
std::string outside_of(const Parabola& fit, double scatter) {
  const double curvature = fit.value[2], error = scatter * std::sqrt(std::max(0.0, fit.spread(2, 2)));
  const double vertex = -fit.value[1] / (2 * curvature);
  if (!(curvature > kFlat * error)) return fit.best_low ? "below" : fit.best_high ? "above" : "flat";
  if (vertex <= fit.low) return "below";
  return vertex >= fit.high ? "above" : "";
}

}  // namespace

Minima minima_of(const std::vector<Slice>& slices) {
  Minima found;
  std::vector<Parabola> fits;
  double squares = 0;
  for (const Slice& slice : slices) {
    fits.push_back(parabola_of(slice));
    squares += fits.back().squares;
    found.freedom += static_cast<double>(fits.back().points) - 3;
  }
  if (found.freedom > 0) found.scatter = std::sqrt(squares / found.freedom);
  for (size_t i = 0; i < slices.size(); ++i) {
    const Parabola& fit = fits[i];
    Minimum m;
    m.flops = slices[i].flops;
    m.slice = slices[i];
    m.outside = outside_of(fit, found.scatter);
    const double x = m.inside() ? -fit.value[1] / (2 * fit.value[2]) : 0;
    const auto best = std::min_element(m.slice.points.begin(), m.slice.points.end(),
                                       [](const SlicePoint& a, const SlicePoint& b) { return a.loss < b.loss; });
    m.params = std::exp(fit.middle + x);
    m.tokens = m.inside() ? best->params * best->tokens / m.params : best->tokens;
    m.loss = m.inside() ? std::exp(fit.value[0] + x * fit.value[1] + x * x * fit.value[2]) : best->loss;
    if (m.inside()) {
      const Eigen::Vector3d vertex(0, -1 / (2 * fit.value[2]), fit.value[1] / (2 * fit.value[2] * fit.value[2]));
      const Eigen::Vector3d at(1, x, x * x);
      m.log_params_sd = found.scatter * std::sqrt(std::max(0.0, vertex.dot(fit.spread * vertex)));
      m.loss_sd = found.scatter * std::sqrt(std::max(0.0, at.dot(fit.spread * at)));
    }
    found.all.push_back(std::move(m));
  }
  return found;
}

}  // namespace bitsweep::frontier
