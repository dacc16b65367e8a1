#include "advise/share.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"

namespace bitsweep::advise {
namespace {

using testing::ElementsAre;

TEST(DivideParts, MoreGoesWhereMoreVarianceIsLeft) {
  const std::vector<double> known = {0.02, 0.011, 0.010, 0.010, 0.010}, unknown = {1, 0.5, 0.2, 0.1, 0.05};
  EXPECT_THAT(divide_parts({known, unknown}), ElementsAre(0, 4));
  EXPECT_THAT(divide_parts({unknown, unknown}), ElementsAre(2, 2));
}

TEST(DivideParts, OneRunThatTakesManyPartsIsWorthWaitingFor) {
  EXPECT_THAT(divide_parts({{1, 1, 1, 0.1}, {1, 0.9, 0.85, 0.84}}), ElementsAre(3, 0));
  EXPECT_THAT(divide_parts({{1}, {1}}), ElementsAre(0, 0));
  EXPECT_THAT(divide_parts({}), ElementsAre());
}

// All divisions of three laws, tried.
TEST(DivideParts, NoDivisionLeavesLess) {
  constexpr int kParts = 6;
  for (uint64_t trial = 0; trial < 200; ++trial) {
    std::vector<std::vector<double>> left(3);
    for (size_t v = 0; v < left.size(); ++v)
      for (int k = 0; k <= kParts; ++k) left[v].push_back(random_unit(trial, v, static_cast<uint64_t>(k)));
    const auto sum = [&](const std::vector<int>& parts) {
      double total = 0;
      for (size_t v = 0; v < parts.size(); ++v) total += left[v][static_cast<size_t>(parts[v])];
      return total;
    };
    const std::vector<int> found = divide_parts(left);
    EXPECT_EQ(std::accumulate(found.begin(), found.end(), 0), kParts);
    for (int a = 0; a <= kParts; ++a)
      for (int b = 0; a + b <= kParts; ++b) EXPECT_LE(sum(found), sum({a, b, kParts - a - b}) + 1e-12);
  }
}

}  // namespace
}  // namespace bitsweep::advise
