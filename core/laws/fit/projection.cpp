#include "fit/projection.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace bitsweep::fit {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

VectorXd least_squares_on(const MatrixXd& a, const VectorXd& b, const std::vector<bool>& used) {
  std::vector<int> columns;
  for (size_t j = 0; j < used.size(); ++j) {
    if (used[j]) columns.push_back(static_cast<int>(j));
  }
  MatrixXd part(a.rows(), columns.size());
  for (size_t j = 0; j < columns.size(); ++j) part.col(j) = a.col(columns[j]);
  const VectorXd solution = part.colPivHouseholderQr().solve(b);
  VectorXd x = VectorXd::Zero(a.cols());
  for (size_t j = 0; j < columns.size(); ++j) x[columns[j]] = solution[j];
  return x;
}

// Amplitudes for given shapes, by Gauss-Newton on the log, each step a non-negative least squares. The residuals are
// small, so a step gains two digits or more.
class Inner {
 public:
  explicit Inner(const Objective& objective) : objective_(objective), loss_(objective.log_loss().exp()) {}

  double operator()(const VectorXd& shapes, VectorXd* amplitudes = nullptr) {
    const Law& law = objective_.law();
    for (size_t j = 0; j < law.shapes().size(); ++j) {
      if (!(shapes[j] >= law.shapes()[j].lower && shapes[j] <= law.shapes()[j].upper))
        return std::numeric_limits<double>::infinity();
    }
    law.evaluate(objective_.coordinates(), shapes, 0, basis_);
    Eigen::ArrayXd at = loss_, root = objective_.weights().sqrt();
    double best = std::numeric_limits<double>::infinity();
    VectorXd x;
    for (int step = 0; step < 12; ++step) {
      const MatrixXd a = (basis_.value.colwise() * (root / at)).matrix();
      const VectorXd b = (root * (1 + (loss_ / at).log())).matrix();
      const VectorXd next = nonnegative_least_squares(a, b);
      at = (basis_.value.matrix() * next).array();
      if (!(at > 0).all()) break;
      const double value = 0.5 * (objective_.weights() * (at / loss_).log().square()).sum();
      if (!(value < best)) break;
      const bool settled = std::isfinite(best) && best - value <= 1e-15 * best;
      best = value;
      x = next;
      if (settled) break;
    }
    if (amplitudes) *amplitudes = x;
    return best;
  }

 private:
  const Objective& objective_;
  Eigen::ArrayXd loss_;
  Basis basis_;
};

struct Vertex {
  VectorXd at;
  double value;
};

// Nelder and Mead 1965, in the logarithm of the shapes.
Vertex simplex_search(Inner& inner, const VectorXd& start, double size) {
  const int s = static_cast<int>(start.size());
  const auto value = [&](const VectorXd& log_shapes) { return inner(log_shapes.array().exp().matrix()); };
  std::vector<Vertex> simplex;
  for (int j = -1; j < s; ++j) {
    VectorXd at = start;
    if (j >= 0) at[j] += size;
    simplex.push_back({at, value(at)});
  }
  for (int round = 0; round < 400; ++round) {
    std::stable_sort(simplex.begin(), simplex.end(),
                     [](const Vertex& a, const Vertex& b) { return a.value < b.value; });
    double extent = 0;
    for (const Vertex& v : simplex) extent = std::max(extent, (v.at - simplex[0].at).cwiseAbs().maxCoeff());
    if (extent < 1e-10) break;
    VectorXd middle = VectorXd::Zero(s);
    for (int j = 0; j < s; ++j) middle += simplex[j].at / s;
    Vertex& worst = simplex.back();
    const auto along = [&](double t) {
      const VectorXd at = middle + t * (worst.at - middle);
      return Vertex{at, value(at)};
    };
    Vertex tried = along(-1);
    if (tried.value < simplex[0].value) {
      Vertex far = along(-2);
      worst = far.value < tried.value ? far : tried;
    } else if (tried.value < simplex[s - 1 >= 0 ? s - 1 : 0].value) {
      worst = tried;
    } else {
      Vertex near = along(tried.value < worst.value ? -0.5 : 0.5);
      if (near.value < std::min(worst.value, tried.value)) {
        worst = near;
      } else {
        for (size_t j = 1; j < simplex.size(); ++j) {
          simplex[j].at = 0.5 * (simplex[j].at + simplex[0].at);
          simplex[j].value = value(simplex[j].at);
        }
      }
    }
  }
  std::stable_sort(simplex.begin(), simplex.end(), [](const Vertex& a, const Vertex& b) { return a.value < b.value; });
  return simplex[0];
}

std::vector<Vertex> shape_grid(Inner& inner, const Law& law) {
  std::vector<Vertex> grid;
  const auto& shapes = law.shapes();
  std::vector<size_t> index(shapes.size(), 0);
  for (bool more = true; more;) {
    VectorXd at(shapes.size());
    for (size_t j = 0; j < shapes.size(); ++j) at[j] = std::log(shapes[j].starts[index[j]]);
    grid.push_back({at, inner(at.array().exp().matrix())});
    more = false;
    for (size_t j = 0; j < shapes.size() && !more; ++j) {
      more = ++index[j] < shapes[j].starts.size();
      if (!more) index[j] = 0;
    }
  }
  std::stable_sort(grid.begin(), grid.end(), [](const Vertex& a, const Vertex& b) { return a.value < b.value; });
  return grid;
}

}  // namespace

VectorXd nonnegative_least_squares(const MatrixXd& a, const VectorXd& b) {
  const int k = static_cast<int>(a.cols());
  // Most often none of them is held at zero, and then there is nothing to choose.
  if (const VectorXd free = a.colPivHouseholderQr().solve(b); (free.array() > 0).all()) return free;
  VectorXd x = VectorXd::Zero(k);
  std::vector<bool> used(k, false);
  const double rounding = 1e-13 * (a.transpose() * b).cwiseAbs().maxCoeff();
  for (int round = 0; round < 10 * k; ++round) {
    const VectorXd gradient = a.transpose() * (b - a * x);
    int enter = -1;
    for (int j = 0; j < k; ++j) {
      if (!used[j] && gradient[j] > rounding && (enter < 0 || gradient[j] > gradient[enter])) enter = j;
    }
    if (enter < 0) break;
    used[enter] = true;
    for (;;) {
      const VectorXd z = least_squares_on(a, b, used);
      double share = 1;
      for (int j = 0; j < k; ++j) {
        if (used[j] && z[j] <= 0) share = std::min(share, x[j] > z[j] ? x[j] / (x[j] - z[j]) : 0.0);
      }
      if (share >= 1) {
        x = z;
        break;
      }
      x += share * (z - x);
      bool any = false;
      for (int j = 0; j < k; ++j) {
        if (used[j] && x[j] <= 1e-15 * x.maxCoeff()) {
          used[j] = false;
          x[j] = 0;
        }
        any |= used[j];
      }
      if (!any) break;
    }
  }
  return x;
}

Projection project(const Objective& objective) {
  Inner inner(objective);
  const std::vector<Vertex> grid = shape_grid(inner, objective.law());
  Projection best;
  best.objective = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < std::min<size_t>(grid.size(), 3); ++i) {
    Vertex found = simplex_search(inner, grid[i].at, 0.2);
    found = simplex_search(inner, found.at, 0.02);  // once more: a simplex can flatten before the minimum
    if (found.value >= best.objective) continue;
    best.shapes = found.at.array().exp().matrix();
    best.objective = inner(best.shapes, &best.amplitudes);
  }
  return best;
}

}  // namespace bitsweep::fit
