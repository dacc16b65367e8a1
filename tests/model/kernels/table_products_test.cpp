#include "kernels/table_products.h"

#include <cmath>
#include <limits>

#include "model/kernels/each_isa.h"

namespace bitsweep::kernels {
namespace {

// The order that the header promises, term by term.
float sum_in_order(const std::vector<float>& terms, const std::vector<int>& signs, const float* before) {
  float result = 0;
  for (size_t block = 0; block < terms.size(); block += kDepthBlock) {
    float sum = 0;
    for (size_t r = block; r < std::min(block + kDepthBlock, terms.size()); r += kGroup) {
      const auto term = [&](size_t i) {
        return r + i < terms.size() ? static_cast<float>(signs[r + i]) * terms[r + i] : 0.0f;
      };
      sum += (term(0) + term(1)) + (term(2) + term(3));
    }
    result = block == 0 ? sum : result + sum;
  }
  return before != nullptr ? *before + result : result;
}

class TableProducts : public EachIsa {
 protected:
  // Rows and columns of dY with the columns and rows of S; `first`: of S's rows that take part, the first.
  void compare(int64_t rows, int64_t terms, int64_t columns, bool by_columns, bool add, int64_t first) {
    const SignBits signs = random_signs(first + terms, columns);
    SignBits index(columns, first + terms);
    transpose_signs(signs, index, 0, first + terms);
    const std::vector<float> a = random_floats(rows * terms), before = random_floats(rows * columns);
    std::vector<float> c = before;
    TableProduct product{.a = {a.data(), by_columns ? 1 : terms, by_columns ? rows : 1},
                         .index = &index,
                         .index_term = first,
                         .terms = terms,
                         .columns = columns,
                         .c = c.data(),
                         .c_step = columns,
                         .add = add};
    const int64_t cut = rows / 2 / kTableRows * kTableRows;
    table_product_rows(product, 0, cut);
    table_product_rows(product, cut, rows);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        std::vector<float> row;
        std::vector<int> column;
        for (int64_t r = 0; r < terms; ++r) {
          row.push_back(a[static_cast<size_t>(i * product.a.row_step + r * product.a.term_step)]);
          column.push_back(sign_at(signs, first + r, j));
        }
        const auto at = static_cast<size_t>(i * columns + j);
        ASSERT_TRUE(same_bits(c[at], sum_in_order(row, column, add ? &before[at] : nullptr)))
            << rows << ' ' << terms << ' ' << columns << " at " << i << ' ' << j;
      }
  }
};

TEST_P(TableProducts, EverySizeIsSummedInTheOrderPromised) {
  for (int trial = 0; trial < 60; ++trial) {
    compare(random_size(20), random_size(70), random_size(80), trial % 2 == 0, trial % 3 == 0,
            trial % 5 == 0 ? 32 * random_size(3) : 0);
  }
}

TEST_P(TableProducts, DeepSumsGoBlockByBlock) {
  for (const int64_t terms : {255, 256, 257, 511, 700})
    for (const bool by_columns : {false, true})
      for (const bool add : {false, true}) compare(22, terms, 37, by_columns, add, 0);
}

TEST_P(TableProducts, TermsMayLieFarApart) {
  for (const int64_t rows : {511, 512, 517, 530})
    compare(rows, rows % 2 == 0 ? 21 : 259, 18, /*by_columns=*/true, rows > 512, 0);
}

TEST_P(TableProducts, AreAsNearAsFloatsGet) {
  const int64_t rows = 8, terms = 1000, columns = 64;
  const SignBits signs = random_signs(terms, columns);
  SignBits index(columns, terms);
  transpose_signs(signs, index, 0, terms);
  const std::vector<float> a = random_floats(rows * terms);
  std::vector<float> c(static_cast<size_t>(rows * columns));
  table_product_rows({.a = {a.data(), terms, 1},
                      .index = &index,
                      .terms = terms,
                      .columns = columns,
                      .c = c.data(),
                      .c_step = columns},
                     0, rows);
  double error = 0, norm = 0;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      double exact = 0;
      for (int64_t r = 0; r < terms; ++r) exact += a[static_cast<size_t>(i * terms + r)] * sign_at(signs, r, j);
      const double off = exact - c[static_cast<size_t>(i * columns + j)];
      error += off * off;
      norm += exact * exact;
    }
  EXPECT_LT(std::sqrt(error / norm), 3e-7);
}

TEST_P(TableProducts, WhatIsNotFiniteStaysInItsRow) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInfinite = std::numeric_limits<float>::infinity();
  constexpr float kDenormal = std::numeric_limits<float>::denorm_min();
  const int64_t terms = 12, columns = 19;
  std::vector<float> a(4 * static_cast<size_t>(terms), 0.0f);
  a[5] = kNaN;
  a[static_cast<size_t>(terms) + 3] = kInfinite;
  a[static_cast<size_t>(2 * terms) + 7] = kDenormal;
  const SignBits signs = random_signs(terms, columns);
  SignBits index(columns, terms);
  transpose_signs(signs, index, 0, terms);
  std::vector<float> c(4 * static_cast<size_t>(columns));
  table_product_rows({.a = {a.data(), terms, 1},
                      .index = &index,
                      .terms = terms,
                      .columns = columns,
                      .c = c.data(),
                      .c_step = columns},
                     0, 4);
  for (int64_t j = 0; j < columns; ++j) {
    const auto at = [&](int64_t row) { return c[static_cast<size_t>(row * columns + j)]; };
    EXPECT_TRUE(std::isnan(at(0)));
    EXPECT_EQ(at(1), kInfinite * static_cast<float>(sign_at(signs, 3, j)));
    EXPECT_EQ(at(2), kDenormal * static_cast<float>(sign_at(signs, 7, j)));
    EXPECT_EQ(at(3), 0.0f);
  }
}

BITSWEEP_FOR_EACH_ISA(TableProducts);

}  // namespace
}  // namespace bitsweep::kernels
