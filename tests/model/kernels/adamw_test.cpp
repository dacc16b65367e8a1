#include "kernels/adamw.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "model/kernels/seeded_floats.h"

namespace bitsweep::kernels {
namespace {

struct Moments {
  std::vector<float> values, mean, square;
};

AdamWUpdate update_at(int step) {
  return {.beta1 = 0.9f,
          .gradient_share = 0.1f,
          .beta2 = 0.95f,
          .square_share = 0.05f,
          .kept = 0.999f,
          .rate = static_cast<float>(0.01 / (1 - std::pow(0.9, step))),
          .root_scale = static_cast<float>(1 / std::sqrt(1 - std::pow(0.95, step))),
          .epsilon = 1e-8f,
          .gradient_scale = 0.5f};
}

TEST(AdamWRange, FollowsTheFormulaInDoubles) {
  for (const size_t count : {1, 7, 16, 33, 1000}) {
    Moments moments{seeded_floats(count, 1), std::vector<float>(count), std::vector<float>(count)};
    std::vector<double> w(moments.values.begin(), moments.values.end()), m(count), v(count);
    for (int step = 1; step <= 5; ++step) {
      const std::vector<float> gradient = seeded_floats(count, static_cast<uint64_t>(10 + step));
      adamw_range(update_at(step), gradient.data(), moments.values.data(), moments.mean.data(), moments.square.data(),
                  static_cast<int64_t>(count));
      for (size_t i = 0; i < count; ++i) {
        const double g = gradient[i] / 2.0;
        m[i] = 0.9 * m[i] + 0.1 * g;
        v[i] = 0.95 * v[i] + 0.05 * g * g;
        const double m_hat = m[i] / (1 - std::pow(0.9, step)), v_hat = v[i] / (1 - std::pow(0.95, step));
        w[i] = w[i] * 0.999 - 0.01 * m_hat / (std::sqrt(v_hat) + 1e-8);
        EXPECT_NEAR(moments.values[i], w[i], 1e-6);
        EXPECT_NEAR(moments.mean[i], m[i], 1e-6);
        EXPECT_NEAR(moments.square[i], v[i], 1e-6);
      }
    }
  }
}

TEST(AdamWRange, IsTheSameBitsHoweverItIsCut) {
  constexpr size_t kCount = 101;
  const std::vector<float> gradient = seeded_floats(kCount, 2), values = seeded_floats(kCount, 3);
  Moments whole{values, std::vector<float>(kCount), std::vector<float>(kCount)}, parts = whole;
  adamw_range(update_at(1), gradient.data(), whole.values.data(), whole.mean.data(), whole.square.data(), kCount);
  for (size_t first = 0; first < kCount; first += 13) {
    const size_t count = std::min<size_t>(13, kCount - first);
    adamw_range(update_at(1), gradient.data() + first, parts.values.data() + first, parts.mean.data() + first,
                parts.square.data() + first, static_cast<int64_t>(count));
  }
  EXPECT_EQ(whole.values, parts.values);
  EXPECT_EQ(whole.mean, parts.mean);
  EXPECT_EQ(whole.square, parts.square);
}

TEST(AdamWRange, NothingMovesAWeightWithoutAGradientButItsDecay) {
  Moments moments{{2, -3}, {0, 0}, {0, 0}};
  const std::vector<float> gradient = {0, 0};
  adamw_range(update_at(1), gradient.data(), moments.values.data(), moments.mean.data(), moments.square.data(), 2);
  EXPECT_EQ(moments.values, (std::vector<float>{2 * 0.999f, -3 * 0.999f}));
}

TEST(AdamWRange, WhatIsNotFiniteStaysWithItsWeight) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInfinite = std::numeric_limits<float>::infinity();
  Moments moments{{1, 1, 1}, {0, 0, 0}, {0, 0, 0}};
  const std::vector<float> gradient = {kNaN, kInfinite, 1};
  adamw_range(update_at(1), gradient.data(), moments.values.data(), moments.mean.data(), moments.square.data(), 3);
  EXPECT_TRUE(std::isnan(moments.values[0]));
  EXPECT_TRUE(std::isnan(moments.values[1]));
  EXPECT_NEAR(moments.values[2], 0.999f - 0.01f, 1e-6f);
}

TEST(SquareSum, IsThatOfDoubles) {
  for (const size_t count : {0, 1, 5, 16, 40, 8192}) {
    const std::vector<float> x = seeded_floats(count, 4);
    double sum = 0;
    for (const float value : x) sum += static_cast<double>(value) * value;
    EXPECT_NEAR(square_sum(x.data(), static_cast<int64_t>(count)), sum, 1e-12 * (1 + sum));
  }
  const std::vector<float> large = {1e30f, 1e30f};
  EXPECT_NEAR(square_sum(large.data(), 2) / 2e60, 1, 1e-6);
}

}  // namespace
}  // namespace bitsweep::kernels
