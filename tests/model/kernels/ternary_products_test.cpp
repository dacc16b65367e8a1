#include "kernels/ternary_products.h"

#include <cmath>
#include <limits>

#include "model/kernels/each_isa.h"

namespace bitsweep::kernels {
namespace {

struct Ternary {
  int64_t rows, terms, columns;
  bool by_terms;  // how A lies
  std::vector<float> a, codes, before;
  TernaryIndex index;

  float a_at(int64_t i, int64_t r) const { return a[static_cast<size_t>(by_terms ? r * rows + i : i * terms + r)]; }
  float code(int64_t r, int64_t j) const { return codes[static_cast<size_t>(r * columns + j)]; }

  std::vector<float> multiply(bool add, int64_t first, int64_t last) const {
    std::vector<float> c = before;
    ternary_product_rows({.a = {a.data(), by_terms ? 1 : terms, by_terms ? rows : 1},
                          .index = &index,
                          .c = c.data(),
                          .c_step = columns + 3,
                          .add = add},
                         first, last);
    return c;
  }

  // The order that the header promises, term by term.
  float sum_in_order(int64_t i, int64_t j, bool add) const {
    const auto term = [&](int64_t r) {
      if (r >= terms) return 0.0f;
      return code(r, j) == 0 ? a_at(i, r) * 0.0f : code(r, j) * a_at(i, r);
    };
    float total = add ? before[static_cast<size_t>(i * (columns + 3) + j)] : 0, block = 0;
    float of_blocks = 0;
    for (int64_t r = 0; r < terms; r += kTernaryBlock) {
      block = 0;
      for (int64_t t = r; t < std::min(r + kTernaryBlock, terms); t += 3)
        block += (term(t) + term(t + 1)) + term(t + 2);
      of_blocks = r == 0 ? block : of_blocks + block;
    }
    return add ? total + of_blocks : of_blocks;
  }
};

class TernaryProducts : public EachIsa {
 protected:
  Ternary ternary(int64_t rows, int64_t terms, int64_t columns, bool by_terms = false) {
    Ternary made{.rows = rows,
                 .terms = terms,
                 .columns = columns,
                 .by_terms = by_terms,
                 .a = random_floats(rows * terms),
                 .codes = std::vector<float>(static_cast<size_t>(terms * columns)),
                 .before = random_floats(rows * (columns + 3)),
                 .index = TernaryIndex(terms, columns)};
    for (float& code : made.codes) code = static_cast<float>(random_size(3) - 2);
    made.index.fill(made.codes.data(), 0, terms);
    return made;
  }

  static void expect_in_order(const Ternary& of, bool add, int64_t first, int64_t last) {
    const std::vector<float> c = of.multiply(add, first, last);
    for (int64_t i = 0; i < of.rows; ++i)
      for (int64_t j = 0; j < of.columns + 3; ++j) {
        const auto at = static_cast<size_t>(i * (of.columns + 3) + j);
        const bool computed = i >= first && i < last && j < of.columns;
        ASSERT_TRUE(same_bits(c[at], computed ? of.sum_in_order(i, j, add) : of.before[at]))
            << of.rows << ' ' << of.terms << ' ' << of.columns << " at " << i << ' ' << j;
      }
  }
};

TEST_P(TernaryProducts, EverySizeIsSummedInTheOrderPromised) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t rows = random_size(40), first = trial % 3 == 0 ? random_size(rows) - 1 : 0;
    expect_in_order(ternary(rows, random_size(80), random_size(50), trial % 2 == 0), trial % 4 == 0, first,
                    first + random_size(rows - first));
  }
}

TEST_P(TernaryProducts, DeepSumsGoBlockByBlock) {
  for (const int64_t terms : {251, 252, 253, 270, 504, 700})
    for (const bool add : {false, true}) expect_in_order(ternary(17, terms, 9), add, 0, 17);
}

TEST_P(TernaryProducts, AreFilledWordByWord) {
  Ternary of = ternary(16, 100, 20);
  of.index = TernaryIndex(100, 20);
  of.index.fill(of.codes.data(), 2 * kTernaryWordTerms, 100);
  of.index.fill(of.codes.data(), 0, 2 * kTernaryWordTerms);
  expect_in_order(of, false, 0, 16);
}

TEST_P(TernaryProducts, WhatIsNotFiniteStaysInItsRow) {
  Ternary of = ternary(33, 40, 20);
  of.a[5 * 40 + 7] = std::numeric_limits<float>::infinity();
  const std::vector<float> c = of.multiply(false, 0, 33);
  for (int64_t i = 0; i < 33; ++i)
    for (int64_t j = 0; j < 20; ++j) {
      const float is = c[static_cast<size_t>(i * 23 + j)];
      EXPECT_EQ(std::isfinite(is), i != 5) << i << ' ' << j;
      if (i == 5) {
        EXPECT_EQ(std::isnan(is), of.code(7, j) == 0) << j;
      }
    }
}

BITSWEEP_FOR_EACH_ISA(TernaryProducts);

}  // namespace
}  // namespace bitsweep::kernels
