#include "kernels/bit_products.h"

#include <cmath>
#include <limits>

#include "kernels/cpu_kernels.h"
#include "model/kernels/each_isa.h"

namespace bitsweep::kernels {
namespace {

class BitProducts : public EachIsa {
 protected:
  // Against dots of ±1, and the end that linear_end_rows makes of them.
  void compare(int64_t rows, int64_t outputs, int64_t depth, std::vector<float> thresholds, float scale) {
    const SignBits x = random_signs(rows, depth), w = random_signs(outputs, depth);
    std::vector<float> dots(static_cast<size_t>(rows * outputs)), products(dots.size());
    for (int64_t m = 0; m < rows; ++m)
      for (int64_t n = 0; n < outputs; ++n)
        for (int64_t k = 0; k < depth; ++k)
          dots[static_cast<size_t>(m * outputs + n)] += static_cast<float>(sign_at(x, m, k) * sign_at(w, n, k));
    sign_product_rows(x, w, products.data(), 0, rows);
    ASSERT_EQ(products, dots);

    EndLimits limits(outputs);
    find_end_limits(depth, scale, thresholds.data(), outputs, limits);
    SignBits sign(rows, outputs), inside(rows, outputs), sign_alone(rows, outputs);
    const int64_t cut = rows / 3;
    strict_linear_rows(x, w, limits, sign, &inside, 0, cut);
    strict_linear_rows(x, w, limits, sign, &inside, cut, rows);
    strict_linear_rows(x, w, limits, sign_alone, nullptr, 0, rows);
    const std::vector<float> scales(thresholds.size(), scale);
    std::vector<uint8_t> within(dots.size());
    linear_end_rows(dots.data(), scales.data(), thresholds.data(), within.data(), /*sign=*/true, rows, outputs);
    for (int64_t m = 0; m < rows; ++m)
      for (int64_t n = 0; n < outputs; ++n) {
        const auto at = static_cast<size_t>(m * outputs + n);
        ASSERT_EQ(sign.negative(m, n), dots[at] < 0) << m << ' ' << n << " threshold " << thresholds[at % outputs];
        ASSERT_EQ(sign_alone.negative(m, n), dots[at] < 0);
        ASSERT_EQ(inside.negative(m, n), within[at] != 0) << m << ' ' << n << " threshold " << thresholds[at % outputs];
      }
    for (int64_t w_last = sign.words() - 1, m = 0; m < rows; ++m) {
      ASSERT_EQ(sign.word(w_last)[m] & ~sign.last_word_mask(), 0u);
      ASSERT_EQ(inside.word(w_last)[m] & ~sign.last_word_mask(), 0u);
    }
  }
};

TEST_P(BitProducts, EverySizeAgreesWithThePlainProduct) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t rows = random_size(40), outputs = random_size(150), depth = random_size(300);
    compare(rows, outputs, depth, random_floats(outputs), 1 / std::sqrt(static_cast<float>(depth)));
  }
}

TEST_P(BitProducts, CountsDoNotOverflowABytesRoom) {
  for (const int64_t depth : {223, 224, 225, 255, 256, 257, 2047, 5000})
    compare(3, 65, depth, random_floats(65), 0.02f);
}

TEST_P(BitProducts, ThresholdsOnLevelsAndBeyondThemAreThoseOfTheFloats) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInfinite = std::numeric_limits<float>::infinity();
  for (const int64_t depth : {1, 16, 20, 32, 49}) {
    const float scale = 1 / std::sqrt(static_cast<float>(depth));
    std::vector<float> thresholds = {kNaN, kInfinite, -kInfinite, 0.0f, -0.0f, 1e30f, -1e30f, 1e-40f, 3e38f, -3e38f};
    for (int64_t level = -depth; level <= depth; ++level)
      for (const float shift : {0.0f, 1.0f, -1.0f}) {
        const float at = static_cast<float>(level) * scale + shift;
        for (const float near : {at, std::nextafter(at, kInfinite), std::nextafter(at, -kInfinite)})
          thresholds.push_back(near);
      }
    const auto outputs = static_cast<int64_t>(thresholds.size());
    compare(12, outputs, depth, thresholds, scale);
  }
}

TEST_P(BitProducts, WeightsAllOfOneSignReachTheEnds) {
  SignBits x(4, kMostBitDepth), w(2, kMostBitDepth);
  const std::vector<float> ones(static_cast<size_t>(kMostBitDepth), 1.0f), minus(ones.size(), -1.0f);
  for (int64_t r = 0; r < 4; ++r) pack_row(r % 2 == 0 ? ones.data() : minus.data(), x, r);
  pack_row(ones.data(), w, 0);
  pack_row(minus.data(), w, 1);
  std::vector<float> products(8);
  sign_product_rows(x, w, products.data(), 0, 4);
  const auto most = static_cast<float>(kMostBitDepth);
  EXPECT_EQ(products, (std::vector<float>{most, -most, -most, most, most, -most, -most, most}));
}

BITSWEEP_FOR_EACH_ISA(BitProducts);

}  // namespace
}  // namespace bitsweep::kernels
