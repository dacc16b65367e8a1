// Draws of a law from points of a known one.
#include "suggest/draws.h"

#include <cmath>

#include <gtest/gtest.h>

#include "fit/simulate.h"

namespace bitsweep {
namespace {

const TrueLaw kTruth;

std::vector<Point> repeated(std::vector<Point> points, int seeds, double sd) {
  std::vector<Point> all;
  for (const Point& point : points) {
    for (int seed = 0; seed < seeds; ++seed) {
      all.push_back(point);
      all.back().seed = seed;
      all.back().loss *= std::exp(sd * normal(3, all.size()));
    }
  }
  return all;
}

struct Moments {
  double mean = 0, sd = 0;
};
Moments moments(const Eigen::VectorXd& values) {
  const double mean = values.mean();
  return {mean, std::sqrt((values.array() - mean).square().mean())};
}

Moments at(const std::vector<Point>& points, double params, double tokens) {
  const auto law = make_law("chinchilla", points);
  const LawDraws drawn = draw_law(*law, points, {.draws = 200});
  return moments(log_losses(*law, drawn.thetas, {make_point(params, tokens, 1)}).col(0));
}

TEST(Draws, AreNarrowWhereRunsAreAndWideFarAway) {
  const auto points = grid_points(kTruth, {1e6, 4e6, 16e6, 64e6}, {2e7, 8e7, 3e8, 1e9}, 0.003, 1);
  const Moments inside = at(points, 4e6, 8e7), outside = at(points, 6.4e9, 1e11);
  EXPECT_NEAR(inside.mean, std::log(kTruth(4e6, 8e7)), 0.01);
  EXPECT_LT(inside.sd, 0.01);
  EXPECT_NEAR(outside.mean, std::log(kTruth(6.4e9, 1e11)), 4 * outside.sd);
  EXPECT_GT(outside.sd, 5 * inside.sd);
}

TEST(Draws, OfFewRunsAreAsWideAsThePriorLeavesThem) {
  const Moments one = at({make_point(1e6, 1e8, 3)}, 1e6, 1e8), far = at({make_point(1e6, 1e8, 3)}, 1e9, 1e11);
  EXPECT_NEAR(one.mean, std::log(3), 0.02);
  EXPECT_LT(one.sd, 0.03);
  EXPECT_GT(far.sd, 0.2);
}

TEST(Draws, TellTheNoiseOfSeedsFromThatOfConfigurations) {
  const std::vector<double> sizes = {1e6, 4e6, 16e6, 64e6}, budgets = {2e7, 8e7, 3e8, 1e9};
  const auto noise_of = [&](const std::vector<Point>& points) {
    return draw_law(*make_law("chinchilla", points), points, {.draws = 1}).noise;
  };
  const NoiseModel seeds = noise_of(repeated(grid_points(kTruth, sizes, budgets), 4, 0.01));
  EXPECT_NEAR(seeds.seed_sd, 0.01, 0.002);
  EXPECT_LT(seeds.configuration_sd, 0.006);
  const NoiseModel both = noise_of(repeated(grid_points(kTruth, sizes, budgets, 0.02, 2), 4, 0.002));
  EXPECT_NEAR(both.seed_sd, 0.002, 0.001);
  EXPECT_NEAR(both.configuration_sd, 0.02, 0.008);
  // Nothing repeated: both have half of what the residuals show.
  const NoiseModel unknown = noise_of(grid_points(kTruth, sizes, budgets, 0.01, 2));
  EXPECT_DOUBLE_EQ(unknown.seed_sd, unknown.configuration_sd);
  EXPECT_NEAR(std::sqrt(unknown.variance(1)), 0.01, 0.004);
  EXPECT_EQ(noise_of({make_point(1e6, 1e8, 3)}).source, "assumed: too few runs tell of it");
}

TEST(Draws, AreAFunctionOfTheSeed) {
  const auto points = grid_points(kTruth, {1e6, 4e6}, {2e7, 8e7}, 0.003, 1);
  const auto law = make_law("chinchilla", points);
  const auto draw = [&](uint64_t seed) { return draw_law(*law, points, {.draws = 3, .seed = seed}).thetas; };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1)[0], draw(2)[0]);
}

}  // namespace
}  // namespace bitsweep
