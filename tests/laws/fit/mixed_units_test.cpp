#include "fit/mixed_units.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulate.h"

namespace bitsweep::fit {
namespace {

using testing::HasSubstr;

std::vector<Point> runs() { return grid_points(TrueLaw{}, {1e6, 3e6, 1e7, 3e7, 1e8}, {1e8, 3e8, 1e9, 3e9}); }

TEST(MixedUnits, NatsAndBitsInOneColumnAreSeen) {
  std::vector<Point> points = runs();
  for (size_t i = 0; i < points.size(); i += 3) points[i].loss /= std::log(2);
  EXPECT_THAT(mixed_units(points), HasSubstr("1.45 times apart"));
  EXPECT_THAT(mixed_units(points), HasSubstr("7 and 13 runs"));
  EXPECT_THAT(implausible_magnitudes(points).back(), HasSubstr("nats and bits"));
}

TEST(MixedUnits, AreNamedByTheVariantThatHasThem) {
  std::vector<Point> points = runs();
  for (Point p : runs()) {
    p.loss /= 4.2, p.variant = "bytes";
    points.push_back(p);
  }
  for (size_t i = 0; i < runs().size(); ++i) points[i].variant = "tokens";
  EXPECT_THAT(mixed_units(points), HasSubstr("(variant tokens above bytes)"));
}

TEST(MixedUnits, OneLawWithAFewOutliersIsOfOneUnit) {
  std::vector<Point> points = runs();
  EXPECT_EQ(mixed_units(points), "");
  points[0].loss *= 3, points[5].loss *= 2;
  EXPECT_EQ(mixed_units(points), "");
}

}  // namespace
}  // namespace bitsweep::fit
