#include "fit/optimise.h"

#include <gtest/gtest.h>

#include "fit/kernels.h"
#include "simulate.h"

namespace bitsweep::fit {
namespace {

TEST(Optimise, GridHasTheStartsPromised) {
  const auto points = random_points(TrueLaw{}, 10, 0, 0);
  const auto law = make_law("chinchilla", points);
  EXPECT_GE(grid_of_starts(Objective(*law, points, 1e-3)).size(), 4500u);
}

TEST(Optimise, NoStartOfTheGridIsOutsideTheBoxOrWithoutAValue) {
  const auto points = random_points(TrueLaw{}, 10, 0.01, 0);
  const auto law = make_law("chinchilla", points);
  Objective objective(*law, points, 1e-3);
  for (const auto& start : grid_of_starts(objective)) {
    ASSERT_TRUE(std::isfinite(objective.value(start)));
    ASSERT_TRUE((start.array() >= objective.lower().array()).all() &&
                (start.array() <= objective.upper().array()).all());
  }
}

TEST(Optimise, DescentNeverRises) {
  const auto points = random_points(TrueLaw{}, 15, 0.02, 1);
  const auto law = make_law("chinchilla", points);
  Objective objective(*law, points, 1e-3);
  const auto starts = grid_of_starts(objective);
  for (size_t i = 0; i < starts.size(); i += 97)
    EXPECT_LE(descend(objective, starts[i]).objective, objective.value(starts[i]));
}

// Compass search in θ from the reported optimum and from random places near it: nothing lower is found.
TEST(Optimise, BruteForceFindsNothingLower) {
  for (uint64_t seed = 0; seed < 3; ++seed) {
    const auto points = random_points(TrueLaw{}, 12, 0.01, seed);
    const auto law = make_law("chinchilla", points);
    Objective objective(*law, points, 1e-3);
    const Optimum optimum = minimise(objective, grid_of_starts(objective));
    const double best = optimum.basins[0].objective;
    for (uint64_t trial = 0; trial < 20; ++trial) {
      Eigen::VectorXd at = optimum.basins[0].theta;
      for (int i = 0; i < at.size(); ++i) at[i] += (trial == 0 ? 0 : 0.3) * normal(seed * 100 + trial, i);
      double value = objective.value(at), size = 0.1;
      for (uint64_t k = 0; size > 1e-9 && k < 20000; ++k) {
        Eigen::VectorXd step(at.size());
        for (int i = 0; i < at.size(); ++i) step[i] = size * normal(seed * 1000 + trial + 7, k * 5 + i);
        const double next = objective.value(at + step);
        if (next < value) {
          value = next;
          at += step;
          size *= 1.5;
        } else
          size *= 0.97;
      }
      EXPECT_GE(value, best * (1 - 1e-12)) << seed << ' ' << trial;
    }
    EXPECT_TRUE(optimum.basins[0].converged);
    EXPECT_GT(optimum.starts_at_best, optimum.starts / 2);
  }
}

TEST(Optimise, LeavesDeltaAndWeightsAsTheyWere) {
  const auto points = random_points(TrueLaw{}, 12, 0.01, 5);
  const auto law = make_law("power", points, {"params", "", ""});
  Objective objective(*law, points, 2e-3);
  minimise(objective, grid_of_starts(objective));
  EXPECT_EQ(objective.delta(), 2e-3);
  EXPECT_TRUE((objective.weights() == 1).all());
}

TEST(Optimise, WeightsAreRepeatedPoints) {
  auto points = random_points(TrueLaw{}, 12, 0.01, 6);
  const auto law = make_law("chinchilla", points);
  Objective weighted(*law, points, 1e-3);
  Eigen::ArrayXd weights = Eigen::ArrayXd::Ones(12);
  weights[3] = 2;
  weighted.set_weights(weights);
  points.push_back(points[3]);
  Objective repeated(*law, points, 1e-3);
  const auto start = grid_of_starts(weighted)[1234];
  EXPECT_NEAR(weighted.value(start), repeated.value(start), 1e-15);
}

TEST(Optimise, ThousandsOfPointsAreSearchedByAPartAndFittedByAll) {
  std::vector<Point> points;
  for (uint64_t i = 0; i < 5000; ++i) {
    const double n = std::pow(10, 6 + 3 * random_unit(1, 2, i));
    points.push_back(make_point(n, 1e9, TrueLaw{}(n, 1e9) * std::exp(0.01 * normal(3, i))));
  }
  const auto law = make_law("power", points, {"params", "", ""});
  Objective objective(*law, points, HUGE_VAL);
  const Optimum optimum = minimise(objective, grid_of_starts(objective));
  const Descent direct = descend(objective, optimum.basins[0].theta);
  EXPECT_NEAR(optimum.basins[0].objective, direct.objective, 1e-13 * direct.objective);
  EXPECT_NEAR(objective.shapes(optimum.basins[0].theta)[0], 0.34, 0.02);
}

TEST(Kernels, ExponentialsAndLogarithmsAreTheLibrarysToTwoUlp) {
  std::vector<double> x, out(2000), loss(2000), residual(2000), zero(2000, 0);
  for (uint64_t i = 0; i < 2000; ++i) x.push_back(-40 + 80 * random_unit(4, 1, i));
  exp_scaled(x.data(), 1.5, out.data(), 2000);
  const double one = 1;
  ASSERT_TRUE(mix(out.data(), &one, 1, zero.data(), loss.data(), residual.data(), 2000));
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_NEAR(out[i] / std::exp(1.5 * x[i]), 1, 5e-16) << x[i];
    EXPECT_NEAR(residual[i], std::log(out[i]), 4.5e-16 * std::max(1.0, std::abs(residual[i]))) << x[i];
  }
  out[7] = -1;
  EXPECT_FALSE(mix(out.data(), &one, 1, zero.data(), loss.data(), residual.data(), 2000));
  x[0] = -1000;
  x[1] = 1000;
  exp_scaled(x.data(), 1, out.data(), 2);
  EXPECT_EQ(out[0], 0);
  EXPECT_GT(out[1], 1e307);
}

}  // namespace
}  // namespace bitsweep::fit
