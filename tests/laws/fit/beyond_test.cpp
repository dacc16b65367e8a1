#include "fit/beyond.h"

#include <gtest/gtest.h>

namespace bitsweep::fit {
namespace {

Point run(double params, double tokens, double flops = 0) {
  Point p;
  p.params = params, p.tokens = tokens, p.flops = flops, p.loss = 3;
  return p;
}

TEST(Beyond, TellsComputeAndTheAxisStretchedMost) {
  const std::vector<Point> runs = {run(1e6, 1e9), run(1e7, 1e8), run(1e7, 1e9)};
  const Beyond at = beyond(runs, Target{3e7, 8e9, "", ""});
  EXPECT_NEAR(at.compute, 24, 1e-9);
  EXPECT_NEAR(at.stretch, 8, 1e-9);
  EXPECT_EQ(at.text(), "24 times the compute of the largest run, and tokens 8 times outside of the runs");
  EXPECT_EQ(at.cell(), "24× (tokens 8×)");
  EXPECT_TRUE(beyond(runs, Target{1e7, 1e9, "", ""}).inside());
}

TEST(Beyond, ASmallRunMayBeFarOutsideWithLittleCompute) {
  const Beyond at = beyond({run(1e7, 1e9)}, Target{1e5, 1e9, "", ""});
  EXPECT_NEAR(at.compute, 0.01, 1e-9);
  EXPECT_NEAR(at.most(), 100, 1e-6);
  EXPECT_EQ(at.text(), "params 100 times outside of the runs");
}

TEST(Beyond, TheLargestRunIsThatOfTheMostMeasuredFlops) {
  const std::vector<Point> runs = {run(1e7, 1e9, 6e16), run(1e6, 4e9, 9e16)};
  EXPECT_NEAR(beyond(runs, Target{2e6, 4e9, "", ""}).compute, 2, 1e-9);
}

TEST(Beyond, BothFactorsGuard) {
  const std::vector<Point> runs = {run(1e6, 1e8), run(1e7, 1e9)};
  EXPECT_EQ(too_far(beyond(runs, Target{1e8, 1e10, "", ""}), 1000), "");
  EXPECT_NE(too_far(beyond(runs, Target{1e9, 1e12, "", ""}), 1000), "");
  EXPECT_NE(too_far(beyond(runs, Target{1e7, 1e4, "", ""}), 1000), "");
}

}  // namespace
}  // namespace bitsweep::fit
