#include "kernels/float_ends.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "model/kernels/seeded_floats.h"

namespace bitsweep::kernels {
namespace {

TEST(FloatEnds, TurnPairsByTheirAngleAndBack) {
  for (const int64_t size : {2, 6, 32, 50}) {
    constexpr int64_t kRows = 5, kHeads = 3;
    const auto half = static_cast<size_t>(size / 2);
    std::vector<float> cosines, sines;
    for (size_t i = 0; i < kRows * half; ++i) {
      cosines.push_back(std::cos(0.3f * static_cast<float>(i)));
      sines.push_back(std::sin(0.3f * static_cast<float>(i)));
    }
    const std::vector<float> before = seeded_floats(static_cast<size_t>(kRows * kHeads * size), 1);
    std::vector<float> x = before;
    turn_rows(x.data(), kRows, kHeads, size, cosines.data(), sines.data(), /*back=*/false);
    for (size_t r = 0; r < kRows; ++r)
      for (size_t h = 0; h < kHeads; ++h)
        for (size_t i = 0; i < half; ++i) {
          const size_t at = (r * kHeads + h) * 2 * half + i;
          const float c = cosines[r * half + i], s = sines[r * half + i];
          EXPECT_FLOAT_EQ(x[at], before[at] * c - before[at + half] * s);
          EXPECT_FLOAT_EQ(x[at + half], before[at + half] * c + before[at] * s);
        }
    turn_rows(x.data(), kRows, kHeads, size, cosines.data(), sines.data(), /*back=*/true);
    for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], before[i], 1e-5f);
  }
}

TEST(FloatEnds, OpenASquaredGateAboveZero) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> gate = {-2, -0.0f, 0, 0.5f, 3, kNaN}, up = {1, 1, 1, -4, 2, 1},
                           gradient = {1, 1, 1, 2, -1, 1};
  std::vector<float> out(6), dgate(6), dup(6);
  relu2glu_range(gate.data(), up.data(), out.data(), 6);
  relu2glu_backward_range(gate.data(), up.data(), gradient.data(), dgate.data(), dup.data(), 6);
  const std::vector<float> expected = {0, 0, 0, -1, 18}, by_gate = {0, 0, 0, -8, -12}, by_up = {0, 0, 0, 0.5f, -9};
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(out[i], expected[i]);
    EXPECT_EQ(dgate[i], by_gate[i]);
    EXPECT_EQ(dup[i], by_up[i]);
  }
  EXPECT_TRUE(std::isnan(out[5]) && std::isnan(dgate[5]) && std::isnan(dup[5]));
}

TEST(FloatEnds, CentreRowsInPlaceToo) {
  for (const int64_t d : {1, 15, 16, 33}) {
    std::vector<float> x = seeded_floats(static_cast<size_t>(3 * d), 2), out(x.size());
    centre_rows(x.data(), out.data(), 3, d);
    for (int64_t r = 0; r < 3; ++r) {
      double mean = 0;
      for (int64_t i = 0; i < d; ++i) mean += double{x[static_cast<size_t>(r * d + i)]} / static_cast<double>(d);
      for (int64_t i = 0; i < d; ++i) {
        const auto at = static_cast<size_t>(r * d + i);
        EXPECT_NEAR(out[at], double{x[at]} - mean, 1e-6);
      }
    }
    centre_rows(x.data(), x.data(), 3, d);
    EXPECT_EQ(x, out);
  }
}

TEST(FloatEnds, FindMeansAndCodes) {
  const std::vector<float> w = {1, 2, 3, -2, -4, 0};
  float means[2];
  row_means(w.data(), 3, means, 2);
  EXPECT_EQ(means[0], 2);
  EXPECT_EQ(means[1], -2);
  EXPECT_EQ(mean_of(means, 2), 0);
  std::vector<float> codes(6), scaled(6);
  binary_range(w.data(), codes.data(), 6, 0);
  EXPECT_EQ(codes, (std::vector<float>{1, 1, 1, -1, -1, 1}));
  scale_range(codes.data(), scaled.data(), 6, 0.25f);
  EXPECT_EQ(scaled[3], -0.25f);
  const int8_t bytes[] = {-127, 0, 127};
  widen_bytes(bytes, scaled.data(), 3, 0.5f);
  EXPECT_EQ(scaled[0], -63.5f);
  EXPECT_EQ(scaled[2], 63.5f);
}

}  // namespace
}  // namespace bitsweep::kernels
