#include "kernels/quantized_products.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <tuple>
#include <vector>

namespace bitsweep::kernels {
namespace {

constexpr uint64_t kKey = 0x1234567890abcdefu;
constexpr QuantizedKind kKinds[] = {QuantizedKind::int16, QuantizedKind::s6};

struct Matrix {
  int64_t rows = 0, columns = 0;
  std::vector<float> values;
  Matrix(int64_t r, int64_t c) : rows(r), columns(c), values(static_cast<size_t>(r * c)) {}
  float& at(int64_t r, int64_t c) { return values[static_cast<size_t>(r * columns + c)]; }
  FloatRows as_rows() const { return {values.data(), columns, 1}; }
  FloatRows as_columns() const { return {values.data(), 1, columns}; }  // rows of the transposed
};

Matrix normal(int64_t rows, int64_t columns, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> number;
  Matrix out(rows, columns);
  for (float& x : out.values) x = number(random);
  return out;
}

Matrix transposed(Matrix in) {
  Matrix out(in.columns, in.rows);
  for (int64_t r = 0; r < in.rows; ++r)
    for (int64_t c = 0; c < in.columns; ++c) out.at(c, r) = in.at(r, c);
  return out;
}

SignBits signs_of(const Matrix& x) {
  SignBits out(x.rows, x.columns);
  pack_signs(x.values.data(), out, 0, x.rows);
  return out;
}

QuantizedRows quantized(QuantizedKind kind, const FloatRows& a, int64_t rows, int64_t depth) {
  QuantizedRows out;
  out.shape(kind, rows, depth);
  round_rows(a, kKey, out, 0, rows);
  return out;
}

int32_t term(const QuantizedRows& a, int64_t row, int64_t r) {
  return a.kind() == QuantizedKind::int16 ? int32_t{a.words(row)[r]} : int32_t{a.bytes(row)[r]};
}

// Sᵀ [columns, depth] as an index.
QuantizedIndex index_of(QuantizedKind kind, const SignBits& signs) {
  QuantizedIndex out;
  out.shape(kind, signs.columns(), signs.rows());
  out.fill(signs, 0, signs.rows());
  return out;
}

// What quantized_product_rows has to give, by its definition.
Matrix defined_product(const QuantizedRows& a, const SignBits& signs, const Matrix* add) {
  Matrix out(a.rows(), signs.rows());
  for (int64_t i = 0; i < out.rows; ++i) {
    for (int64_t j = 0; j < out.columns; ++j) {
      int64_t sum = 0;
      for (int64_t r = 0; r < a.depth(); ++r) sum += signs.negative(j, r) ? -term(a, i, r) : term(a, i, r);
      const float scaled = static_cast<float>(sum) * a.scales()[i];
      out.at(i, j) = add ? Matrix(*add).at(i, j) + scaled : scaled;
    }
  }
  return out;
}

Matrix product(const QuantizedRows& a, const SignBits& signs) {
  Matrix out(a.rows(), signs.rows());
  const QuantizedIndex index = index_of(a.kind(), signs);
  quantized_product_rows({.a = &a, .index = &index, .c = out.values.data(), .c_step = out.columns}, 0, a.rows());
  return out;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

class QuantizedProducts : public testing::TestWithParam<std::tuple<Isa, QuantizedKind>> {
 protected:
  Isa isa() const { return std::get<0>(GetParam()); }
  QuantizedKind kind() const { return std::get<1>(GetParam()); }
  WithIsa with_{std::get<0>(GetParam())};
};

TEST_P(QuantizedProducts, AreExactSumsOfTheRoundedRowsInAnyShape) {
  std::vector<std::tuple<int64_t, int64_t, int64_t>> shapes = {
      {1, 1, 1},    {3, 33, 239},  {4, 64, 240},   {5, 17, 241}, {9, 50, 119},  {4, 32, 120},
      {7, 95, 121}, {18, 40, 480}, {17, 31, 1000}, {6, 65, 961}, {2, 1100, 250}};
  std::mt19937 random(7);
  std::uniform_int_distribution<int64_t> size(1, 70);
  for (int i = 0; i < 24; ++i) shapes.emplace_back(size(random), size(random), size(random));
  for (const auto& [rows, columns, depth] : shapes) {
    const Matrix a = normal(rows, depth, 1), before = normal(rows, columns, 2);
    const SignBits signs = signs_of(normal(columns, depth, 3));
    const QuantizedRows q = quantized(kind(), a.as_rows(), rows, depth);
    EXPECT_TRUE(same_bits(product(q, signs).values, defined_product(q, signs, nullptr).values))
        << rows << " " << columns << " " << depth;

    Matrix sum = before;
    const QuantizedIndex index = index_of(kind(), signs);
    quantized_product_rows({.a = &q, .index = &index, .c = sum.values.data(), .c_step = columns, .add = true}, 0, rows);
    EXPECT_TRUE(same_bits(sum.values, defined_product(q, signs, &before).values))
        << rows << " " << columns << " " << depth;
  }
}

TEST_P(QuantizedProducts, TakeTheTermsOfAnIndexFromAnyWordOn) {
  const int64_t columns = 41, whole = 333;
  const SignBits signs = signs_of(normal(columns, whole, 8));
  for (const auto& [first, depth] : {std::pair{0, 100}, {32, 301}, {160, 33}, {320, 13}}) {
    SignBits part(columns, depth);
    take_columns(signs, 0, columns, first, depth, part);
    const QuantizedRows q = quantized(kind(), normal(5, depth, 9).as_rows(), 5, depth);
    QuantizedIndex index;
    index.shape(kind(), depth, columns);
    index.fill(signs, 0, columns, first);
    Matrix found(5, columns);
    quantized_product_rows({.a = &q, .index = &index, .c = found.values.data(), .c_step = columns}, 0, 5);
    EXPECT_TRUE(same_bits(found.values, product(q, part).values)) << first << " " << depth;
  }
}

TEST_P(QuantizedProducts, AreTheSameHoweverTheyAreCut) {
  const int64_t rows = 83, columns = 75, depth = 301;
  const Matrix a = normal(rows, depth, 4);
  const SignBits signs = signs_of(normal(columns, depth, 5));
  const QuantizedRows whole = quantized(kind(), a.as_rows(), rows, depth);
  const Matrix expected = product(whole, signs);
  const Matrix other = transposed(a);
  for (int64_t cut : {1, 4, 37, 64, 70}) {
    QuantizedRows parts;
    parts.shape(kind(), rows, depth);
    QuantizedIndex index;
    index.shape(kind(), depth, columns);
    for (int64_t j = 0; j < columns; j += 32) index.fill(signs, j, std::min(j + 32, columns));
    const int64_t c_step = columns + 3;
    std::vector<float> c(static_cast<size_t>(rows * c_step), 5.0f);
    for (int64_t i = 0; i < rows; i += cut) {
      const int64_t last = std::min(i + cut, rows);
      round_rows(cut == 37 ? a.as_rows() : other.as_columns(), kKey, parts, i, last);
      quantized_product_rows({.a = &parts, .index = &index, .c = c.data(), .c_step = c_step}, i, last);
    }
    for (int64_t i = 0; i < rows; ++i) {
      const float* row = c.data() + i * c_step;
      EXPECT_EQ(std::memcmp(row, &expected.values[static_cast<size_t>(i * columns)], sizeof(float) * columns), 0) << i;
      for (int64_t j = columns; j < c_step; ++j) EXPECT_EQ(row[j], 5.0f);
    }
  }
}

TEST_P(QuantizedProducts, OfRowsThatAreNoNumbersAreNaNAndOfTinyOnesZero) {
  const int64_t rows = 9, columns = 35, depth = 250;
  Matrix a = normal(rows, depth, 6);
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for (int64_t r = 0; r < depth; ++r) a.at(0, r) = r % 2 != 0 ? -0.0f : 0.0f;
  for (int64_t r = 0; r < depth; ++r) a.at(1, r) = std::numeric_limits<float>::denorm_min() * static_cast<float>(r);
  for (int64_t r = 0; r < depth; ++r) a.at(2, r) = 3e-33f;
  a.at(3, 249) = nan;
  a.at(4, 0) = inf;
  a.at(5, 17) = -inf;
  a.at(6, 240) = -nan;
  a.at(7, 100) = 1e36f;
  const SignBits signs = signs_of(normal(columns, depth, 8));
  const Matrix other = transposed(a);
  for (const FloatRows& from : {a.as_rows(), other.as_columns()}) {
    const QuantizedRows q = quantized(kind(), from, rows, depth);
    Matrix c = product(q, signs);
    for (int64_t j = 0; j < columns; ++j) {
      for (int64_t i : {0, 1, 2}) EXPECT_EQ(std::bit_cast<uint32_t>(c.at(i, j)), 0u) << i;
      for (int64_t i : {3, 4, 5, 6}) EXPECT_TRUE(std::isnan(c.at(i, j))) << i;
      for (int64_t i : {7, 8}) EXPECT_TRUE(std::isfinite(c.at(i, j))) << i;
    }
  }
}

TEST_P(QuantizedProducts, HoldTheLargestSums) {
  const int64_t columns = 40;
  for (int64_t depth : {240, 1920, 4801}) {
    Matrix a(2, depth);
    for (int64_t r = 0; r < depth; ++r) a.at(0, r) = 3.0f;
    for (int64_t r = 0; r < depth; ++r) a.at(1, r) = r % 3 != 0 ? -2.0f : 2.0f;
    Matrix s(columns, depth);
    for (int64_t j = 0; j < columns; ++j)
      for (int64_t r = 0; r < depth; ++r) s.at(j, r) = j % 2 != 0 ? -1.0f : j % 4 != 0 ? a.at(1, r) : 1.0f;
    const SignBits signs = signs_of(s);
    const QuantizedRows q = quantized(kind(), a.as_rows(), 2, depth);
    Matrix c = product(q, signs);
    EXPECT_TRUE(same_bits(c.values, defined_product(q, signs, nullptr).values));
    EXPECT_NEAR(c.at(0, 0), 3.0f * static_cast<float>(depth), 0.01 * static_cast<double>(depth));
    EXPECT_NEAR(c.at(0, 1), -3.0f * static_cast<float>(depth), 0.01 * static_cast<double>(depth));
    EXPECT_NEAR(c.at(1, 2), 2.0f * static_cast<float>(depth), 0.01 * static_cast<double>(depth));
  }
}

TEST_P(QuantizedProducts, MemoryIsUsedAgainForOtherShapes) {
  QuantizedRows q;
  QuantizedIndex index;
  q.shape(kind(), 40, 500);
  index.shape(kind(), 500, 90);
  const float* const scales = q.scales();
  const uint8_t* const entries = index.entry(0, 0);
  for (const auto& [rows, columns, depth] : {std::tuple<int64_t, int64_t, int64_t>{40, 90, 500}, {13, 20, 130}}) {
    q.shape(kind(), rows, depth);
    index.shape(kind(), depth, columns);
    const Matrix a = normal(rows, depth, 20);
    const SignBits signs = signs_of(normal(columns, depth, 21));
    round_rows(a.as_rows(), kKey, q, 0, rows);
    index.fill(signs, 0, columns);
    Matrix c(rows, columns);
    quantized_product_rows({.a = &q, .index = &index, .c = c.values.data(), .c_step = columns}, 0, rows);
    EXPECT_TRUE(same_bits(c.values, defined_product(q, signs, nullptr).values));
    EXPECT_EQ(q.scales(), scales);
    EXPECT_EQ(index.entry(0, 0), entries);
  }
}

// Bits that this test's own machine need not have: every instruction set is held against the plain one.
TEST_P(QuantizedProducts, AreThoseOfThePlainOne) {
  const int64_t rows = 21, columns = 130, depth = 1205;
  const Matrix a = normal(rows, depth, 9);
  const SignBits signs = signs_of(normal(columns, depth, 10));
  const Matrix c = product(quantized(kind(), a.as_rows(), rows, depth), signs);
  const WithIsa plain(Isa::plain);
  EXPECT_TRUE(same_bits(c.values, product(quantized(kind(), a.as_rows(), rows, depth), signs).values));
}

TEST_P(QuantizedProducts, RowsAreRoundedAsByPlainLoops) {
  for (const auto& [rows, depth] : {std::pair{3, 64}, {64, 64}, {70, 130}, {130, 65}, {129, 200}, {64, 17}}) {
    Matrix a = normal(rows, depth, 11);
    a.at(1, depth / 2) = std::numeric_limits<float>::infinity();
    for (int64_t r = 0; r < depth; ++r) a.at(2, r) *= 1e-35f;
    const Matrix lying = transposed(a);
    for (const FloatRows& from : {a.as_rows(), lying.as_columns()}) {
      const QuantizedRows found = quantized(kind(), from, rows, depth);
      const WithIsa plain(Isa::plain);
      const QuantizedRows expected = quantized(kind(), from, rows, depth);
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t r = 0; r < depth; ++r) ASSERT_EQ(term(found, i, r), term(expected, i, r)) << i << ' ' << r;
      EXPECT_EQ(std::memcmp(found.scales(), expected.scales(), static_cast<size_t>(rows) * sizeof(float)), 0);
    }
  }
}

std::string test_name(const testing::TestParamInfo<std::tuple<Isa, QuantizedKind>>& info) {
  const auto [isa, kind] = info.param;
  return "isa" + std::to_string(static_cast<int>(isa)) + (kind == QuantizedKind::int16 ? "_int16" : "_s6");
}
INSTANTIATE_TEST_SUITE_P(EveryIsa, QuantizedProducts,
                         testing::Combine(testing::ValuesIn(available_isas()), testing::ValuesIn(kKinds)), test_name);

TEST(QuantizedRows, Int16IsTheNearestAndItsSumsFit) {
  for (int64_t depth : {5, 119, 120, 121, 1000}) {
    Matrix a = normal(7, depth, 11);
    for (int64_t r = 0; r < depth; ++r) a.at(0, r) = r % 2 != 0 ? 1.0f : -1.0f;  // where roundings add up
    const QuantizedRows q = quantized(QuantizedKind::int16, a.as_rows(), 7, depth);
    for (int64_t i = 0; i < 7; ++i) {
      int64_t largest = 0;
      for (int64_t block = 0; block < depth; block += kInt16SumTerms) {
        int64_t sum = 0;
        for (int64_t r = block; r < std::min(block + kInt16SumTerms, depth); ++r) sum += std::abs(q.words(i)[r]);
        largest = std::max(largest, sum);
      }
      EXPECT_LE(largest, 32767);
      EXPECT_GE(largest, 32600);
      for (int64_t r = 0; r < depth; ++r)
        EXPECT_LE(std::fabs(static_cast<double>(a.at(i, r)) / q.scales()[i] - q.words(i)[r]), 0.505);
      for (int64_t r = depth; r < depth + 64; ++r) EXPECT_EQ(q.words(i)[r], 0);
    }
  }
}

TEST(QuantizedRows, TiesGoToEven) {
  // A sum of 32706, so that the scale is 1.
  Matrix a(1, 8);
  a.values = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 3.0f, 32694.0f};
  const QuantizedRows q = quantized(QuantizedKind::int16, a.as_rows(), 1, 8);
  ASSERT_EQ(q.scales()[0], 1.0f);
  const std::vector<int> expected = {0, 2, 2, 0, -2, -2, 3, 32694};
  for (size_t r = 0; r < 8; ++r) EXPECT_EQ(q.words(0)[r], expected[r]) << r;
}

TEST(QuantizedRows, S6IsTheFloorOfTheValueAndTheNoiseOfItsPlace) {
  for (int64_t depth : {3, 64, 130, 777}) {
    Matrix a = normal(70, depth, 12);
    const QuantizedRows q = quantized(QuantizedKind::s6, a.as_rows(), 70, depth);
    for (int64_t i = 0; i < 70; ++i) {
      float most = 0;
      for (int64_t r = 0; r < depth; ++r) most = std::max(most, std::fabs(a.at(i, r)));
      ASSERT_EQ(q.scales()[i], most / 31);
      const float factor = 256 * 31.0f / most;
      for (int64_t r = 0; r < depth; ++r) {
        const auto u = static_cast<double>(rounding_noise(kKey, i, r));
        ASSERT_EQ(q.bytes(i)[r], std::floor((std::nearbyint(a.at(i, r) * factor) + u) / 256)) << i << " " << r;
        ASSERT_LE(std::abs(q.bytes(i)[r]), 31);
      }
      for (int64_t r = depth; r < depth + 64; ++r) ASSERT_EQ(q.bytes(i)[r], 0);
    }
  }
}

TEST(QuantizedRows, RoundingNoiseIsUniformAndKnowsKeyRowAndTerm) {
  const int64_t rows = 64, terms = 4096;
  std::vector<int> counts(256);
  double sum = 0, with_next = 0, with_span = 0, with_row = 0, with_key = 0;
  const auto unit = [](uint64_t key, int64_t i, int64_t r) { return (rounding_noise(key, i, r) + 0.5) / 256 - 0.5; };
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t r = 0; r < terms; ++r) {
      ++counts[rounding_noise(kKey, i, r)];
      const double u = unit(kKey, i, r);
      sum += u;
      with_next += u * unit(kKey, i, r + 1);
      with_span += u * unit(kKey, i, r + 16);
      with_row += u * unit(kKey, i + 1, r);
      with_key += u * unit(kKey + 1, i, r);
    }
  }
  const double count = static_cast<double>(rows * terms);
  // Five deviations of a uniform number's mean, and of a product's of two.
  EXPECT_LT(std::fabs(sum / count), 5 * std::sqrt(1 / 12.0 / count));
  for (double product : {with_next, with_span, with_row, with_key})
    EXPECT_LT(std::fabs(product / count), 5 / 12.0 / std::sqrt(count));
  double chi = 0;
  for (int c : counts) chi += (c - count / 256) * (c - count / 256) / (count / 256);
  EXPECT_LT(chi, 255 + 5 * std::sqrt(2 * 255.0));
}

TEST(QuantizedRows, S6IsUnbiased) {
  const int64_t depth = 200, keys = 4000;
  Matrix a = normal(1, depth, 13);
  float most = 0;
  for (float x : a.values) most = std::max(most, std::fabs(x));
  std::vector<double> mean(static_cast<size_t>(depth));
  QuantizedRows q;
  q.shape(QuantizedKind::s6, 1, depth);
  for (int64_t key = 0; key < keys; ++key) {
    round_rows(a.as_rows(), static_cast<uint64_t>(key), q, 0, 1);
    for (int64_t r = 0; r < depth; ++r) mean[static_cast<size_t>(r)] += q.bytes(0)[r];
  }
  double bias = 0;
  for (int64_t r = 0; r < depth; ++r) {
    const double v = static_cast<double>(a.at(0, r)) * 31 / most, off = mean[static_cast<size_t>(r)] / keys - v;
    EXPECT_LT(std::fabs(off), 5 * 0.5 / std::sqrt(keys) + 1 / 512.0) << r;  // a rounding's deviation is at most 1/2
    bias += off / static_cast<double>(depth);
  }
  EXPECT_LT(std::fabs(bias), 5 * 0.5 / std::sqrt(static_cast<double>(keys * depth)) + 2e-4);
}

TEST(QuantizedRows, ProductsLieNearTheExactOnes) {
  const int64_t rows = 16, columns = 64, depth = 1000;
  const SignBits signs = signs_of(normal(columns, depth, 15));
  for (QuantizedKind kind : kKinds) {
    Matrix a = normal(rows, depth, 14), c = product(quantized(kind, a.as_rows(), rows, depth), signs);
    double error = 0, norm = 0;
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        double exact = 0;
        for (int64_t r = 0; r < depth; ++r) exact += signs.negative(j, r) ? -a.at(i, r) : a.at(i, r);
        error += (c.at(i, j) - exact) * (c.at(i, j) - exact);
        norm += exact * exact;
      }
    }
    EXPECT_LT(std::sqrt(error / norm), kind == QuantizedKind::int16 ? 1e-3 : 5e-2);
  }
}

TEST(QuantizedRows, RefuseMoreTermsThanSumsHold) {
  QuantizedRows rows;
  EXPECT_THROW(rows.shape(QuantizedKind::s6, 1, kMostQuantizedDepth + 1), std::length_error);
}

TEST(QuantizedRows, MemoryIsWhatAShapeTakes) {
  EXPECT_EQ(QuantizedRows::memory(QuantizedKind::int16, 10, 64), 10 * (4 + 2 * 128));
  EXPECT_EQ(QuantizedRows::memory(QuantizedKind::s6, 10, 65), 10 * (4 + 192));
  const WithIsa plain(Isa::plain);
  EXPECT_EQ(QuantizedIndex::memory(QuantizedKind::int16, 7, 33), 2 * 3 * 64);
  EXPECT_EQ(QuantizedIndex::memory(QuantizedKind::s6, 7, 33), 2 * 2 * 64);
}

}  // namespace
}  // namespace bitsweep::kernels
