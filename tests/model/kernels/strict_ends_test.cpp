#include "kernels/strict_ends.h"

#include <cmath>
#include <limits>

#include "kernels/noise.h"
#include "model/kernels/each_isa.h"

namespace bitsweep::kernels {
namespace {

class StrictEnds : public EachIsa {};

TEST_P(StrictEnds, TheWayBackKeepsWhatIsInside) {
  for (const int64_t columns : {1, 31, 32, 33, 100, 5000}) {
    const int64_t rows = 7;
    const SignBits inside = random_signs(rows, columns), factor = random_signs(rows, columns);
    const std::vector<float> g = random_floats(rows * columns), before = random_floats(columns);
    for (const bool add : {false, true})
      for (const bool masked : {false, true})
        for (const bool flipped : {false, true}) {
          std::vector<float> out(g.size()), threshold = before;
          EndBackward end{.gradient = g.data(),
                          .inside = masked ? &inside : nullptr,
                          .factor = flipped ? &factor : nullptr,
                          .scale = 0.25f,
                          .out = out.data(),
                          .threshold = threshold.data(),
                          .add = add,
                          .rows = rows,
                          .columns = columns};
          const int64_t words = (columns + 31) / 32, cut = words / 2;
          end_backward_words(end, 0, cut);
          end_backward_words(end, cut, words);
          for (int64_t c = 0; c < columns; ++c) {
            float sum = 0;
            for (int64_t r = 0; r < rows; ++r) {
              const auto at = static_cast<size_t>(r * columns + c);
              const float kept = masked && !inside.negative(r, c) ? 0.0f : g[at];
              const float h = flipped ? kept * static_cast<float>(sign_at(factor, r, c)) : kept;
              ASSERT_EQ(out[at], h * 0.25f);
              sum += h;
            }
            ASSERT_EQ(threshold[static_cast<size_t>(c)], add ? before[static_cast<size_t>(c)] - sum : -sum);
          }
        }
  }
}

TEST_P(StrictEnds, TheLossAndItsGradientAreThoseOfDoubles) {
  for (const int64_t vocab : {1, 2, 15, 16, 17, 256, 1000}) {
    const std::vector<float> bias = random_floats(vocab);
    std::vector<float> dots = random_floats(vocab, 20);
    const LogitRow row{.bias = bias.data(), .scale = 0.3f, .vocab = vocab};
    const int64_t target = vocab / 3;
    std::vector<double> p;
    double top = -1e300, sum = 0, along = 0;
    for (int64_t v = 0; v < vocab; ++v) {
      p.push_back(static_cast<double>(dots[static_cast<size_t>(v)]) * row.scale + bias[static_cast<size_t>(v)]);
      top = std::max(top, p.back());
    }
    for (const double logit : p) sum += std::exp(logit - top);
    const double loss = std::log(sum) + top - p[static_cast<size_t>(target)];
    std::vector<float> scored = dots;
    int64_t likeliest = -1;
    EXPECT_NEAR(nats_of_row(row, scored.data(), target, likeliest), loss, 2e-6 * (1 + loss));
    EXPECT_EQ(p[static_cast<size_t>(likeliest)], top);
    const std::vector<float> before = dots;
    double scale_gradient = 0;
    EXPECT_NEAR(cross_entropy_row(row, dots.data(), target, 0.5f, scale_gradient), loss, 2e-6 * (1 + loss));
    for (int64_t v = 0; v < vocab; ++v) {
      const auto at = static_cast<size_t>(v);
      const double d = 0.5 * (std::exp(p[at] - top) / sum - (v == target ? 1 : 0));
      EXPECT_NEAR(dots[at], d, 1e-6);
      along += d * before[at];
    }
    EXPECT_NEAR(scale_gradient, along, 1e-4);
  }
}

TEST_P(StrictEnds, TheFirstOfEqualLogitsIsTheLikeliest) {
  const std::vector<float> bias(40, 0.0f);
  std::vector<float> dots(40, 1.0f);
  dots[7] = dots[21] = 2;
  int64_t likeliest = 0;
  nats_of_row({.bias = bias.data(), .scale = 1, .vocab = 40}, dots.data(), 0, likeliest);
  EXPECT_EQ(likeliest, 7);
}

TEST_P(StrictEnds, SumsAndScattersKeepTheirOrder) {
  const int64_t rows = 9, columns = 37;
  const std::vector<float> x = random_floats(rows * columns);
  std::vector<float> scaled = x, sums(static_cast<size_t>(columns), 5);
  sum_and_scale_columns(scaled.data(), rows, columns, 3, false, sums.data(), 0, 20);
  sum_and_scale_columns(scaled.data(), rows, columns, 3, true, sums.data(), 20, columns);
  const std::vector<int64_t> index = {2, 0, 2, 2, 1, 0, 2, 1, 2};
  std::vector<float> table(static_cast<size_t>(3 * columns), 1);
  scatter_rows(x.data(), index.data(), rows, columns, table.data(), 0, 20);
  scatter_rows(x.data(), index.data(), rows, columns, table.data(), 20, columns);
  for (int64_t c = 0; c < columns; ++c) {
    float sum = c < 20 ? 0.0f : 5.0f, of_two = 1;
    for (int64_t r = 0; r < rows; ++r) {
      const float value = x[static_cast<size_t>(r * columns + c)];
      sum += value;
      if (index[static_cast<size_t>(r)] == 2) of_two += value;
      EXPECT_EQ(scaled[static_cast<size_t>(r * columns + c)], value * 3);
    }
    EXPECT_EQ(sums[static_cast<size_t>(c)], sum);
    EXPECT_EQ(table[static_cast<size_t>(2 * columns + c)], of_two);
  }
}

class Noise : public EachIsa {};

TEST_P(Noise, IsAFunctionOfItsPlace) {
  std::vector<float> row(256), short_row(128), plain(256);
  for (const uint64_t key : {uint64_t{0}, uint64_t{7}, ~uint64_t{0}, uint64_t{0x123456789abcdef}})
    for (const uint64_t place : {uint64_t{0}, uint64_t{3}, uint64_t{1} << 40}) {
      gumbel_row(key, place, row.data(), 256);
      gumbel_row(key, place, short_row.data(), 100);
      const WithIsa with(Isa::plain);
      gumbel_row(key, place, plain.data(), 256);
      EXPECT_EQ(row, plain);
      EXPECT_TRUE(std::equal(row.begin(), row.begin() + 100, short_row.begin()));
    }
}

// Rows around one whose number needs a second word.
TEST_P(Noise, RowsAndBlocksTogetherAreThoseOfEachAlone) {
  constexpr int64_t kRows = 5, kBlocks = 3, kStep = 200;
  const uint64_t key = 0xfedcba9876543210, first = (uint64_t{1} << 32) - 2;
  std::vector<uint32_t> all(kRows * kStep, 7), row(kBlocks * kNoiseBlock);
  noise_bits(GetParam())(key, first, kRows, kBlocks, all.data(), kStep);
  for (int64_t r = 0; r < kRows; ++r) {
    noise_bits(Isa::plain)(key, first + static_cast<uint64_t>(r), 1, kBlocks, row.data(), 0);
    EXPECT_TRUE(std::equal(row.begin(), row.end(), all.begin() + r * kStep)) << r;
    EXPECT_EQ(all[static_cast<size_t>(r * kStep + kBlocks * kNoiseBlock)], 7u) << "nothing is written beside the row";
  }
}

BITSWEEP_FOR_EACH_ISA(StrictEnds);
BITSWEEP_FOR_EACH_ISA(Noise);

}  // namespace
}  // namespace bitsweep::kernels
