#include "fit/shape_grid.h"

#include <algorithm>
#include <cmath>

namespace bitsweep::fit {
namespace {

constexpr double kDeep = 14;        // cells this far (in log weight) below the best are not worth a closer look
constexpr double kFewestCells = 8;  // that are looked at closer all the same

}  // namespace

int ShapeGrid::cells() const { return static_cast<int>(std::pow(per_axis, low.size()) + 0.5); }

int ShapeGrid::place(int cell, int axis) const {
  for (int j = 0; j < axis; ++j) cell /= per_axis;
  return cell % per_axis;
}

Eigen::VectorXd ShapeGrid::at(int cell, const Eigen::VectorXd& offset) const {
  Eigen::VectorXd x(low.size());
  for (Eigen::Index j = 0; j < x.size(); ++j) {
    x[j] = low[j] + width()[j] * (cell % per_axis + offset[j]);
    cell /= per_axis;
  }
  return x;
}

ShapeGrid whole_box(const Law& law) {
  const Eigen::Index s = static_cast<Eigen::Index>(law.shapes().size());
  ShapeGrid grid{Eigen::VectorXd(s), Eigen::VectorXd(s), s == 1 ? 600 : s == 2 ? 40 : 14};
  for (Eigen::Index j = 0; j < s; ++j) {
    grid.low[j] = std::log(std::max(law.shapes()[j].lower, 1e-3));
    grid.high[j] = std::log(law.shapes()[j].upper);
  }
  return grid;
}

ShapeGrid closer(const ShapeGrid& grid, const std::vector<double>& log_weights) {
  std::vector<int> order(log_weights.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return log_weights[a] > log_weights[b]; });
  ShapeGrid next{grid.high, grid.low, grid.per_axis};
  for (size_t i = 0; i < order.size(); ++i) {
    const double weight = log_weights[order[i]];
    if (!std::isfinite(weight) || (i >= kFewestCells && weight < log_weights[order[0]] - kDeep)) break;
    next.low = next.low.cwiseMin(grid.at(order[i], Eigen::VectorXd::Constant(grid.low.size(), -1)));
    next.high = next.high.cwiseMax(grid.at(order[i], Eigen::VectorXd::Constant(grid.low.size(), 2)));
  }
  next.low = next.low.cwiseMax(grid.low);
  next.high = next.high.cwiseMin(grid.high);
  return next;
}

bool much_closer(const ShapeGrid& next, const ShapeGrid& grid) {
  return ((next.high - next.low).array() < 0.7 * (grid.high - grid.low).array()).any();
}

std::vector<int> systematic(const std::vector<double>& log_weights, int count, double at) {
  const double top = *std::max_element(log_weights.begin(), log_weights.end());
  double total = 0;
  for (const double w : log_weights) total += std::exp(w - top);
  std::vector<int> chosen;
  double passed = 0;
  int index = -1;
  for (int i = 0; i < count; ++i) {
    const double wanted = (i + at) / count * total;
    while (passed <= wanted && index + 1 < static_cast<int>(log_weights.size()))
      passed += std::exp(log_weights[++index] - top);
    chosen.push_back(std::max(index, 0));
  }
  return chosen;
}

}  // namespace bitsweep::fit
