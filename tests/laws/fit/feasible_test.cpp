#include "fit/feasible.h"

#include <gtest/gtest.h>

#include "simulate.h"

namespace bitsweep::fit {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

// The best vertex of all intersections of planes, the slow way.
double best_vertex(const MatrixXd& a, const VectorXd& b, const VectorXd& c) {
  double best = -HUGE_VAL;
  const int m = static_cast<int>(a.rows());
  for (int i = 0; i < m; ++i) {
    for (int j = i + 1; j < m; ++j) {
      for (int k = j + 1; k < m; ++k) {
        Eigen::Matrix3d plane;
        plane << a.row(i), a.row(j), a.row(k);
        if (std::abs(plane.determinant()) < 1e-9) continue;
        const VectorXd x = plane.inverse() * Eigen::Vector3d(b[i], b[j], b[k]);
        if ((a * x - b).maxCoeff() < 1e-9) best = std::max(best, c.dot(x));
      }
    }
  }
  return best;
}

TEST(LinearProgram, MatchesEnumerationOfVertices) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    MatrixXd a(12, 3);
    VectorXd b(12), c(3);
    for (int i = 0; i < 12; ++i) {
      for (int j = 0; j < 3; ++j) a(i, j) = i < 6 ? (i / 2 == j ? (i % 2 ? 1.0 : -1.0) : 0.0) : normal(seed, 3 * i + j);
      b[i] = i < 6 ? 2.0 : 0.2 + random_unit(seed, 9, i);
    }
    for (int j = 0; j < 3; ++j) c[j] = normal(seed, 1000 + j);
    const auto x = linear_program(a, b, c, 1e6);
    ASSERT_TRUE(x) << seed;
    EXPECT_NEAR(c.dot(*x), best_vertex(a, b, c), 1e-8) << seed;
  }
}

TEST(LinearProgram, SaysWhenNothingIsFeasible) {
  MatrixXd a(2, 2);
  a << 1, 0, -1, 0;
  EXPECT_FALSE(linear_program(a, Eigen::Vector2d(-1, -1), Eigen::Vector2d(1, 1), 100));
}

TEST(Feasible, HoldsTheTruthAndGrowsWithTheNoise) {
  const TrueLaw truth;
  const auto points = grid_points(truth, {1e6, 3e6, 1e7}, {1e9});
  const auto law = make_law("power", points);
  const Point target = make_point(1e8, 1e9, 1);
  double width = 0;
  for (const double noise : {1e-4, 1e-3, 1e-2}) {
    const auto range = feasible_range(*law, points, target, noise);
    ASSERT_TRUE(range);
    EXPECT_LE(range->first, truth(1e8, 1e9));
    EXPECT_GE(range->second, truth(1e8, 1e9));
    EXPECT_GT(range->second - range->first, width);
    width = range->second - range->first;
  }
}

TEST(Feasible, NothingWhenThePointsContradictTheLaw) {
  const std::vector<Point> points = {make_point(1e6, 1, 1), make_point(1e7, 1, 2), make_point(1e8, 1, 1)};
  EXPECT_FALSE(feasible_range(*make_law("power", points), points, make_point(1e9, 1, 1), 0.02));
}

TEST(Feasible, ASingleSizeSaysNothingOfASmallerOne) {
  const std::vector<Point> points = {make_point(1e7, 1, 2)};
  const auto range = feasible_range(*make_law("power", points), points, make_point(1e6, 1, 1), 0.02);
  ASSERT_TRUE(range);
  EXPECT_NEAR(range->first, 1.98, 1e-6);
  EXPECT_GT(range->second, 1000);
}

}  // namespace
}  // namespace bitsweep::fit
