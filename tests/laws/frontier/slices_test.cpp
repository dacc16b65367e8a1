#include "frontier/slices.h"

#include <gtest/gtest.h>

#include "frontier/minimum.h"
#include "frontier/ladders.h"

namespace bitsweep::frontier {
namespace {

TEST(Slices, BudgetsThatDifferByAPerCentAreOne) {
  std::vector<fit::Point> points = ladder_points(truth_of(chinchilla()), kBudgets);
  for (size_t i = 0; i < points.size(); ++i) points[i].tokens *= 1 + 0.01 * static_cast<double>(i % 3);
  const auto found = slices(places_of(points));
  ASSERT_EQ(found.size(), kBudgets.size());
  for (size_t b = 0; b < found.size(); ++b) {
    EXPECT_NEAR(found[b].flops / kBudgets[b], 1.01, 0.01);
    EXPECT_EQ(found[b].points.size(), 7u);
    EXPECT_TRUE(found[b].measured);
  }
}

TEST(Slices, SeedsAreOnePlace) {
  std::vector<fit::Point> points = ladder_points(truth_of(chinchilla()), {1e18}, 0.01, 1);
  const size_t once = points.size();
  for (size_t i = 0; i < once; ++i) {
    points[i].seed = 0;
    points.push_back(points[i]);
    points.back().seed = 1;
  }
  const auto places = places_of(points);
  ASSERT_EQ(places.size(), once);
  EXPECT_EQ(places[0].runs, 2);
}

TEST(Slices, AGridIsReadBetweenItsLengthsAndNeverBeyond) {
  const Truth truth = truth_of(chinchilla());
  const auto places = places_of(grid(truth, {1e7, 3.7e7, 1.3e8, 5e8}, {2e8, 7e8, 2.5e9, 9e9}));
  const Slice slice = slice_at(places, 6 * 1e8 * 1e9);
  ASSERT_GE(slice.points.size(), 3u);
  for (const SlicePoint& p : slice.points) {
    EXPECT_NEAR(p.params * p.tokens, 1e17, 1e12);
    EXPECT_NEAR(p.loss / truth(p.params, p.tokens), 1, 2e-3);
    EXPECT_GE(p.tokens, 2e8 * 0.999);
    EXPECT_LE(p.tokens, 9e9 * 1.001);
  }
  EXPECT_TRUE(slice_at(places, 1e10).points.empty());
}

TEST(Minima, AreFoundBetweenSizesAndTheirEndsAreSaid) {
  const JointLaw law = chinchilla();
  const Minima found = minima_of(slices(places_of(ladder_points(truth_of(law), kBudgets, 0.001, 3))));
  ASSERT_EQ(found.all.size(), kBudgets.size());
  for (const Minimum& m : found.all) {
    EXPECT_TRUE(m.inside());
    EXPECT_NEAR(std::log(m.params / law.divide(m.flops, 6)->params), 0, 0.2);
    EXPECT_GT(m.log_params_sd, 0);
  }
  // Sizes that all lie below the optimum, and above it.
  for (const double shift : {1 / 30., 30.}) {
    std::vector<fit::Point> points = ladder_points(truth_of(law), kBudgets, 0.0005, 5);
    for (fit::Point& p : points) {
      p.params *= shift, p.tokens /= shift;
      p.loss = law.loss(p.params, p.tokens);
    }
    for (const Minimum& m : minima_of(slices(places_of(points))).all) EXPECT_EQ(m.outside, shift < 1 ? "above" : "below");
  }
}

TEST(Slices, NothingOfNothing) {
  EXPECT_TRUE(slices({}).empty());
  EXPECT_TRUE(slice_at({}, 1e18).points.empty());
  EXPECT_TRUE(minima_of({}).all.empty());
  fit::Point bad;
  EXPECT_TRUE(places_of({bad}).empty());
}

}  // namespace
}  // namespace bitsweep::frontier
