#include <set>

#include <gtest/gtest.h>

#include "base/rng.h"

namespace bitsweep {
namespace {

// Known-answer vectors of the authors' Random123 distribution (kat_vectors, philox4x32 10).
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const uint32_t f = 0xffffffff;
  EXPECT_EQ(philox({f, f, f, f}, {f, f}), (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, ValuesDependOnEachPartOfTheName) {
  const uint64_t base = random_bits(1, 2, 3);
  EXPECT_EQ(base, random_bits(1, 2, 3));
  EXPECT_NE(base, random_bits(2, 2, 3));
  EXPECT_NE(base, random_bits(1, 3, 3));
  EXPECT_NE(base, random_bits(1, 2, 4));
}

TEST(Random, LargeIndicesAreDistinct) {
  std::set<uint64_t> seen;
  for (uint64_t i = 0; i < 100; ++i) seen.insert(random_bits(7, 1, (i << 40) | 5));
  EXPECT_EQ(seen.size(), 100u);
}

TEST(Random, UnitsLieInTheirIntervalAndAverageToAHalf) {
  double sum = 0;
  for (uint64_t i = 0; i < 20000; ++i) {
    const double u = random_unit(3, 1, i);
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
  }
  EXPECT_NEAR(sum / 20000, 0.5, 0.01);  // 5 standard errors
}

TEST(Random, BoundedValuesAreUniform) {
  std::array<int, 7> count{};
  for (uint64_t i = 0; i < 70000; ++i) ++count[random_below(9, 1, i, 7)];
  for (int n : count) EXPECT_NEAR(n, 10000, 500);
  EXPECT_EQ(random_below(9, 1, 0, 1), 0u);
}

}  // namespace
}  // namespace bitsweep
