#include <gtest/gtest.h>

#include "base/statistics.h"

namespace bitsweep {
namespace {

TEST(Median, OfAnOddNumberIsTheMiddleOne) {
  EXPECT_EQ(median({3}), 3);
  EXPECT_EQ(median({9, -1, 4}), 4);
}

TEST(Median, OfAnEvenNumberIsTheMeanOfTheMiddleTwo) {
  EXPECT_EQ(median({2, 1}), 1.5);
  EXPECT_EQ(median({10, 1, 8, 3}), 5.5);
}

TEST(Median, EqualValuesStayThemselves) { EXPECT_EQ(median({7, 7, 7, 7}), 7); }

}  // namespace
}  // namespace bitsweep
