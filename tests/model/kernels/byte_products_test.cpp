#include "kernels/byte_products.h"

#include <algorithm>

#include "model/kernels/each_isa.h"

namespace bitsweep::kernels {
namespace {

struct Coded {
  ByteRows rows;
  std::vector<float> codes;  // [outputs, terms]
  CodeMatrix matrix;
};

class ByteProducts : public EachIsa {
 protected:
  Coded coded(int64_t rows, int64_t outputs, int64_t terms) {
    Coded made{ByteRows(rows, terms), std::vector<float>(static_cast<size_t>(outputs * terms)),
               CodeMatrix(outputs, terms)};
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t r = 0; r < terms; ++r) made.rows.row(i)[r] = static_cast<int8_t>(random_size(255) - 128);
      made.rows.scales()[i] = static_cast<float>(random_size(100)) * 0.01f;
    }
    for (float& code : made.codes) code = static_cast<float>(random_size(3) - 2);
    return made;
  }

  void expect_exact(const Coded& of, int64_t rows, int64_t outputs, int64_t first, int64_t last) {
    const int64_t step = outputs + 3;
    std::vector<float> c(static_cast<size_t>(rows * step), 7);
    byte_product_rows({.rows = &of.rows, .codes = &of.matrix, .scale = 0.3f, .c = c.data(), .c_step = step}, first,
                      last);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t o = 0; o < step; ++o) {
        const float found = c[static_cast<size_t>(i * step + o)];
        if (i < first || i >= last || o >= outputs) {
          ASSERT_EQ(found, 7) << i << ' ' << o;
          continue;
        }
        int64_t sum = 0;
        for (int64_t r = 0; r < of.rows.terms(); ++r)
          sum +=
              int64_t{of.rows.row(i)[r]} * static_cast<int64_t>(of.codes[static_cast<size_t>(o * of.rows.terms() + r)]);
        ASSERT_EQ(found, static_cast<float>(sum) * (of.rows.scales()[i] * 0.3f)) << i << ' ' << o;
      }
  }
};

TEST_P(ByteProducts, AreExactAtEverySize) {
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t rows = random_size(40), outputs = random_size(80), terms = random_size(trial % 5 == 0 ? 700 : 40);
    Coded of = coded(rows, outputs, terms);
    of.matrix.fill(of.codes.data(), 0, outputs);
    const int64_t first = trial % 3 == 0 ? random_size(rows) - 1 : 0;
    expect_exact(of, rows, outputs, first, first + random_size(rows - first));
  }
}

TEST_P(ByteProducts, StandTheLargestSums) {
  for (const float code : {1.0f, -1.0f})
    for (const int8_t q : {int8_t{127}, int8_t{-127}}) {
      Coded of = coded(13, 33, 1030);
      std::fill(of.codes.begin(), of.codes.end(), code);
      for (int64_t i = 0; i < 13; ++i) std::fill_n(of.rows.row(i), 1030, q);
      of.matrix.fill(of.codes.data(), 0, 33);
      expect_exact(of, 13, 33, 0, 13);
    }
}

TEST_P(ByteProducts, AreFilledPanelByPanel) {
  Coded of = coded(3, 100, 9);
  of.matrix.fill(of.codes.data(), 2 * kCodeColumns, 100);
  of.matrix.fill(of.codes.data(), 0, 2 * kCodeColumns);
  expect_exact(of, 3, 100, 0, 3);
}

BITSWEEP_FOR_EACH_ISA(ByteProducts);

}  // namespace
}  // namespace bitsweep::kernels
