#include "kernels/float_products.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/kernels/each_isa.h"

namespace bitsweep::kernels {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInfinite = std::numeric_limits<float>::infinity();
constexpr float kDenormal = std::numeric_limits<float>::denorm_min();

// Which way A and B lie: term after term, or row after row.
struct Lie {
  bool a_by_rows = false, b_by_rows = false;
};
constexpr Lie kLies[] = {{false, false}, {true, false}, {false, true}, {true, true}};

struct Operands {
  int64_t rows = 0, a_columns = 0, columns = 0;  // `rows` terms
  int64_t a_step = 0, b_step = 0, c_step = 0;
  Lie lie = {};
  std::vector<float> a = {}, b = {}, before = {};

  FloatRows a_rows() const { return {a.data(), lie.a_by_rows ? a_step : 1, lie.a_by_rows ? 1 : a_step}; }
  FloatRows b_rows() const { return {b.data(), lie.b_by_rows ? b_step : 1, lie.b_by_rows ? 1 : b_step}; }
  float a_at(int64_t r, int64_t i) const { return a_rows().data[i * a_rows().row_step + r * a_rows().term_step]; }
  float b_at(int64_t r, int64_t j) const { return b_rows().data[j * b_rows().row_step + r * b_rows().term_step]; }

  // C, which was `before`, computed from cut to cut.
  std::vector<float> multiply(bool add, const std::vector<int64_t>& cuts) const {
    std::vector<float> c = before;
    for (size_t k = 0; k + 1 < cuts.size(); ++k)
      float_product_rows({.a = a_rows(),
                          .b = b_rows(),
                          .terms = rows,
                          .columns = columns,
                          .c = c.data(),
                          .c_step = c_step,
                          .add = add},
                         cuts[k], cuts[k + 1]);
    return c;
  }

  // The order that the header promises, term by term.
  float sum_in_order(int64_t i, int64_t j, bool add) const {
    float result = add ? before[static_cast<size_t>(i * c_step + j)] : 0;
    for (int64_t block = 0; block < rows; block += kChainTerms) {
      float sum = 0;
      for (int64_t r = block; r < std::min(block + kChainTerms, rows); ++r) sum = std::fma(a_at(r, i), b_at(r, j), sum);
      result = block == 0 && !add ? sum : result + sum;
    }
    return result;
  }
};

bool same_number(float a, float b) { return same_bits(a, b) || (std::isnan(a) && std::isnan(b)); }

class FloatProducts : public EachIsa {
 protected:
  // `gap`: between rows.
  Operands operands(int64_t rows, int64_t a_columns, int64_t columns, int64_t gap = 0, Lie lie = {}) {
    Operands made{.rows = rows, .a_columns = a_columns, .columns = columns, .lie = lie};
    made.a_step = (lie.a_by_rows ? rows : a_columns) + gap;
    made.b_step = (lie.b_by_rows ? rows : columns) + 2 * gap;
    made.c_step = columns + gap;
    made.a = random_floats((lie.a_by_rows ? a_columns : rows) * made.a_step);
    made.b = random_floats((lie.b_by_rows ? columns : rows) * made.b_step);
    made.before = random_floats(a_columns * made.c_step);
    return made;
  }

  // Rows [first, last) are as promised, and all else is as it was.
  void expect_in_order(const Operands& given, bool add, int64_t first, int64_t last) {
    const std::vector<float> c = given.multiply(add, {first, last});
    for (int64_t i = 0; i < given.a_columns; ++i)
      for (int64_t j = 0; j < given.c_step; ++j) {
        const auto at = static_cast<size_t>(i * given.c_step + j);
        const bool computed = i >= first && i < last && j < given.columns;
        ASSERT_TRUE(same_number(c[at], computed ? given.sum_in_order(i, j, add) : given.before[at]))
            << given.rows << ' ' << given.a_columns << ' ' << given.columns << " at " << i << ' ' << j;
      }
  }
};

TEST_P(FloatProducts, EverySizeIsSummedInTheOrderPromised) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t a_columns = random_size(40);
    const int64_t first = trial % 4 == 0 ? random_size(a_columns) - 1 : 0;
    const Lie lie = kLies[trial / 2 % 4];
    expect_in_order(operands(random_size(40), a_columns, random_size(70), trial % 3, lie), trial % 2 == 0, first,
                    trial % 5 == 0 ? first + random_size(a_columns - first) : a_columns);
  }
}

TEST_P(FloatProducts, EveryWidthOfATile) {
  for (const Lie lie : kLies) {
    for (int64_t width = 1; width <= 2 * kFloatTileRows + 1; ++width)
      expect_in_order(operands(3, width, 33, 0, lie), false, 0, width);
    for (int64_t columns = 1; columns <= 65; ++columns) expect_in_order(operands(3, 7, columns, 0, lie), true, 0, 7);
  }
}

TEST_P(FloatProducts, DeepSumsGoBlockByBlock) {
  for (const int64_t rows : {255, 256, 257, 512, 700})
    for (const Lie lie : kLies)
      for (const bool add : {false, true}) expect_in_order(operands(rows, 7, 19, 0, lie), add, 0, 7);
}

TEST_P(FloatProducts, MoreColumnsThanArePackedAtOnce) {
  for (const Lie lie : kLies) {
    expect_in_order(operands(2, 3, 2100, 0, lie), false, 0, 3);
    expect_in_order(operands(2, 500, 3, 0, lie), true, 0, 500);
  }
}

TEST_P(FloatProducts, CutsForThreadsGiveTheSameBits) {
  const int64_t a_columns = 5 * kFloatTileRows + 5;
  const Operands given = operands(300, a_columns, 50);
  const std::vector<float> whole = given.multiply(true, {0, a_columns});
  EXPECT_EQ(given.multiply(true, {0, kFloatTileRows, 4 * kFloatTileRows, a_columns}), whole);
  EXPECT_EQ(given.multiply(true, {0, 1, 20, a_columns}), whole) << "wherever they are";
}

TEST_P(FloatProducts, NoRowsGiveNothing) {
  const Operands given = operands(0, 5, 7, 2);
  EXPECT_EQ(given.multiply(true, {0, 5}), given.before);
  expect_in_order(given, false, 1, 4);
}

TEST_P(FloatProducts, ProductsAreNotRoundedBeforeTheyAreAdded) {
  Operands given = operands(2, 3, 5);
  const float x = 1 + 0x1p-12f;  // x · x = 1 + 2^−11 + 2^−24, whose last bit a float has no place for
  std::fill(given.a.begin(), given.a.end(), x);
  std::fill(given.b.begin(), given.b.begin() + given.b_step, -1.0f);
  std::fill(given.b.begin() + given.b_step, given.b.end(), x);
  for (const float c : given.multiply(false, {0, 3})) EXPECT_EQ(c, 0x1p-12f + 0x1p-24f);
}

TEST_P(FloatProducts, WhatIsNotFiniteStaysInItsRowAndColumn) {
  Operands given = operands(9, 15, 21);
  std::fill(given.b.begin(), given.b.end(), 1.0f);
  std::fill(given.a.begin(), given.a.end(), 0.0f);
  given.a[static_cast<size_t>(4 * given.a_step + 2)] = kNaN;
  given.a[static_cast<size_t>(8 * given.a_step + 13)] = -kInfinite;
  given.a[static_cast<size_t>(1 * given.a_step + 14)] = kDenormal;
  given.b[static_cast<size_t>(0 * given.b_step + 20)] = kInfinite;
  const std::vector<float> c = given.multiply(false, {0, 15});
  for (int64_t i = 0; i < 15; ++i)
    for (int64_t j = 0; j < 21; ++j) {
      const float is = c[static_cast<size_t>(i * given.c_step + j)];
      const float without = i == 2 ? kNaN : i == 13 ? -kInfinite : i == 14 ? kDenormal : 0;
      EXPECT_TRUE(same_number(is, j == 20 ? kNaN : without)) << i << ' ' << j << ": " << is;
    }
}

TEST_P(FloatProducts, DenormalsAreNumbersLikeOthers) {
  Operands given = operands(40, 13, 35);
  for (float& x : given.a) x *= 0x1p-70f;
  for (float& x : given.b) x *= 0x1p-72f;
  for (float& x : given.before) x *= 0x1p-140f;
  for (const bool add : {false, true}) expect_in_order(given, add, 0, 13);
}

TEST_P(FloatProducts, AreAsNearAsFloatsGet) {
  const Operands given = operands(1000, 8, 40);
  const std::vector<float> c = given.multiply(false, {0, 8});
  double error = 0, norm = 0;
  for (int64_t i = 0; i < 8; ++i)
    for (int64_t j = 0; j < 40; ++j) {
      double exact = 0;
      for (int64_t r = 0; r < 1000; ++r) exact += double{given.a_at(r, i)} * double{given.b_at(r, j)};
      const double off = exact - double{c[static_cast<size_t>(i * given.c_step + j)]};
      error += off * off;
      norm += exact * exact;
    }
  EXPECT_LT(std::sqrt(error / norm), 5e-7);
}

BITSWEEP_FOR_EACH_ISA(FloatProducts);

}  // namespace
}  // namespace bitsweep::kernels
