// The noise of simulated runs, told apart by where it comes from.
#include "advise/noise.h"

#include <cmath>

#include <gtest/gtest.h>

#include "fit/simulate.h"

namespace bitsweep::advise {
namespace {

const fit::TrueLaw kTruth;
const std::vector<double> kSizes = {1e6, 4e6, 16e6, 64e6}, kBudgets = {2e7, 8e7, 3e8, 1e9};

std::vector<fit::Point> repeated(const std::vector<fit::Point>& points, int seeds, double sd) {
  std::vector<fit::Point> all;
  for (const fit::Point& point : points) {
    for (int seed = 0; seed < seeds; ++seed) {
      all.push_back(point);
      all.back().seed = seed;
      all.back().loss *= std::exp(sd * fit::normal(3, all.size()));
    }
  }
  return all;
}

NoiseModel noise_of(const std::vector<fit::Point>& points) {
  return estimate_noise(points, *draw_surface(points, {}, 200), 0.01);
}

TEST(Noise, OfSeedsAndOfConfigurationsAreToldApart) {
  const NoiseModel seeds = noise_of(repeated(grid_points(kTruth, kSizes, kBudgets), 4, 0.01));
  EXPECT_NEAR(seeds.seed_sd, 0.01, 0.002);
  EXPECT_LT(seeds.configuration_sd, 0.007);
  const NoiseModel both = noise_of(repeated(grid_points(kTruth, kSizes, kBudgets, 0.02, 2), 4, 0.002));
  EXPECT_NEAR(both.seed_sd, 0.002, 0.001);
  EXPECT_NEAR(both.configuration_sd, 0.02, 0.008);
}

TEST(Noise, IsSharedEquallyUntilSeedsAreRepeated) {
  const NoiseModel unknown = noise_of(grid_points(kTruth, kSizes, kBudgets, 0.01, 2));
  EXPECT_DOUBLE_EQ(unknown.seed_sd, unknown.configuration_sd);
  EXPECT_NEAR(std::sqrt(unknown.variance(1)), 0.01, 0.004);
  EXPECT_EQ(unknown.source, "the scatter around the law");
}

TEST(Noise, IsAssumedWhereNothingTellsOfIt) {
  const NoiseModel one = noise_of({fit::make_point(1e6, 1e8, 3)});
  EXPECT_NEAR(std::sqrt(one.variance(1)), 0.01, 1e-12);
  EXPECT_EQ(one.source, "assumed: too few runs tell of it");
  // Two seeds are seen, and the assumption still counts twice as much.
  const NoiseModel two = noise_of(repeated({fit::make_point(1e6, 1e8, 3)}, 2, 0.1));
  EXPECT_EQ(two.source, "repeated seeds");
  EXPECT_GT(two.seed_sd, 0.007);
}

}  // namespace
}  // namespace bitsweep::advise
