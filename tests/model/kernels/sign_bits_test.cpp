#include "kernels/sign_bits.h"

#include <cmath>
#include <limits>

#include "model/kernels/each_isa.h"

namespace bitsweep::kernels {
namespace {

class SignBitsTest : public EachIsa {};

TEST_P(SignBitsTest, PacksWhatIsNotAtLeastZeroAsMinus) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInfinite = std::numeric_limits<float>::infinity();
  constexpr float kDenormal = std::numeric_limits<float>::denorm_min();
  const std::vector<float> x = {0.0f, -0.0f, 1, -1, kNaN, kInfinite, -kInfinite, kDenormal, -kDenormal, 3};
  SignBits bits(2, 5);
  pack_signs(x.data(), bits, 0, 2);
  for (int64_t i = 0; i < 10; ++i) EXPECT_EQ(bits.negative(i / 5, i % 5), !(x[static_cast<size_t>(i)] >= 0)) << i;
  EXPECT_EQ(bits.word(0)[0] >> 5, 0u);
}

TEST_P(SignBitsTest, TransposesEverySize) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t rows = random_size(100), columns = random_size(100);
    const SignBits in = random_signs(rows, columns);
    SignBits whole(columns, rows), parts(columns, rows);
    transpose_signs(in, whole, 0, rows);
    for (int64_t r = 0; r < rows; r += 32) transpose_signs(in, parts, r, std::min(r + 32, rows));
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c) {
        ASSERT_EQ(whole.negative(c, r), in.negative(r, c));
        ASSERT_EQ(parts.negative(c, r), in.negative(r, c));
      }
  }
}

TEST_P(SignBitsTest, MultipliesAndTakesTheMajority) {
  const SignBits a = random_signs(37, 75), b = random_signs(37, 75), c = random_signs(37, 75);
  SignBits product(37, 75), majority(37, 75);
  multiply_signs(a, b, product, 0, 37);
  majority_signs(a, b, c, majority, 0, 37);
  for (int64_t r = 0; r < 37; ++r)
    for (int64_t i = 0; i < 75; ++i) {
      EXPECT_EQ(sign_at(product, r, i), sign_at(a, r, i) * sign_at(b, r, i));
      EXPECT_EQ(sign_at(majority, r, i) > 0, sign_at(a, r, i) + sign_at(b, r, i) + sign_at(c, r, i) >= 0);
    }
}

TEST_P(SignBitsTest, TakesAHeadsColumnsWhereverTheyBegin) {
  for (const int64_t size : {1, 8, 20, 31, 32, 33, 64, 100}) {
    const int64_t heads = 5, rows = 40;
    const SignBits in = random_signs(rows, heads * size);
    SignBits part(rows, size);
    for (int64_t head = 0; head < heads; ++head) {
      take_columns(in, 3, rows - 3, head * size, size, part);
      for (int64_t r = 0; r < rows - 3; ++r)
        for (int64_t c = 0; c < size; ++c) ASSERT_EQ(part.negative(r, c), in.negative(r + 3, head * size + c)) << size;
    }
    std::vector<float> floats(static_cast<size_t>(rows * size));
    unpack_signs_to(part, rows, floats.data());
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < size; ++c)
        ASSERT_EQ(floats[static_cast<size_t>(r * size + c)], static_cast<float>(sign_at(part, r, c)));
  }
}

// Keys of every row t, t + 1 of them at most.
std::vector<int32_t> random_keys(std::mt19937_64& random, int64_t rows, int64_t keys) {
  std::vector<int32_t> index;
  for (int64_t t = 0; t < rows; ++t)
    for (int64_t k = 0; k < keys; ++k) index.push_back(static_cast<int32_t>(random() % static_cast<uint64_t>(t + 1)));
  return index;
}

TEST_P(SignBitsTest, VotesAreTheSignOfTheSum) {
  for (const int64_t keys : {1, 2, 3, 4, 7, 8, 31, 63, 64}) {
    const int64_t rows = 80, first = 5, size = 21, column = 2 * size;
    const SignBits in = random_signs(rows + first, 3 * size);
    const std::vector<int32_t> index = random_keys(random_, rows, keys);
    SignBits out(rows + first, 3 * size);
    vote_columns(in, index.data(), keys, first, 0, 30, column, size, out);
    vote_columns(in, index.data(), keys, first, 30, rows, column, size, out);
    for (int64_t t = 0; t < rows; ++t)
      for (int64_t c = 0; c < 3 * size; ++c) {
        int sum = 0;
        for (int64_t k = 0; k < std::min(keys, t + 1); ++k)
          sum += sign_at(in, first + index[static_cast<size_t>(t * keys + k)], c);
        ASSERT_EQ(out.negative(first + t, c), c >= column && sum < 0) << keys << ' ' << t;
      }
  }
}

BITSWEEP_FOR_EACH_ISA(SignBitsTest);

}  // namespace
}  // namespace bitsweep::kernels
