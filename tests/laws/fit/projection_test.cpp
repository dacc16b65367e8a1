#include "fit/projection.h"

#include <gtest/gtest.h>

#include "fit/optimise.h"
#include "simulate.h"

namespace bitsweep::fit {
namespace {

TEST(NonnegativeLeastSquares, IsLeastSquaresWhereThatIsPositive) {
  Eigen::MatrixXd a(4, 2);
  a << 1, 0, 1, 1, 1, 2, 1, 3;
  const Eigen::VectorXd x = nonnegative_least_squares(a, a * Eigen::Vector2d(2, 3));
  EXPECT_NEAR(x[0], 2, 1e-12);
  EXPECT_NEAR(x[1], 3, 1e-12);
}

TEST(NonnegativeLeastSquares, MeetsTheConditionsOfTheMinimum) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Eigen::MatrixXd a(8, 4);
    Eigen::VectorXd b(8);
    for (int i = 0; i < 8; ++i) {
      b[i] = normal(seed, 100 + i);
      for (int j = 0; j < 4; ++j) a(i, j) = normal(seed, 4 * i + j);
    }
    const Eigen::VectorXd x = nonnegative_least_squares(a, b), gradient = a.transpose() * (a * x - b);
    for (int j = 0; j < 4; ++j) {
      EXPECT_GE(x[j], 0);
      EXPECT_GE(gradient[j], -1e-9) << seed;
      EXPECT_NEAR(x[j] * gradient[j], 0, 1e-9) << seed;
    }
  }
}

TEST(Projection, AgreesWithTheDescents) {
  for (uint64_t seed = 0; seed < 3; ++seed) {
    const auto points = random_points(TrueLaw{}, 20, 0.01, seed);
    const auto law = make_law("chinchilla", points);
    Objective objective(*law, points, HUGE_VAL);
    const Descent end = descend_wide(objective, grid_of_starts(objective)[2000]);
    const Projection projection = project(objective);
    EXPECT_NEAR(projection.objective, end.objective, 1e-9 * end.objective) << seed;
  }
}

}  // namespace
}  // namespace bitsweep::fit
