#include "kernels/ternary_products.h"

#include <algorithm>

#include "base/simd.h"
#include "kernels/ternary_product_isas.h"

namespace bitsweep::kernels {
namespace {

constexpr int64_t kWordGroups = kTernaryWordTerms / kTernaryGroup;
constexpr int64_t kSpareColumns = 16;  // that an instruction set may read
constexpr uint32_t kPlaces[kTernaryGroup] = {1, 3, 9};
constexpr int kBits = 5;

int64_t words_of_terms(int64_t terms) { return (terms + kTernaryWordTerms - 1) / kTernaryWordTerms; }
int64_t columns_with_spare(int64_t columns) { return (columns + kSpareColumns - 1) / kSpareColumns * kSpareColumns; }

// Of one row of codes, the share in a word.
BITSWEEP_CLONES void add_codes(const float* codes, int64_t columns, uint32_t factor, uint32_t* words) {
  for (int64_t j = 0; j < columns; ++j) words[j] += static_cast<uint32_t>(static_cast<int32_t>(codes[j]) + 1) * factor;
}

inline float coded(float a, uint32_t code) { return code == 0 ? -a : code == 1 ? a * 0.0f : a; }

void rows_plain(const TernaryProduct& product, int64_t first, int64_t last) {
  const TernaryIndex& index = *product.index;
  const auto term_of = [&](int64_t i, int64_t r) {
    return r < index.terms() ? product.a.data[i * product.a.row_step + r * product.a.term_step] : 0.0f;
  };
  for (int64_t i = first; i < last; ++i)
    for (int64_t j = 0; j < index.columns(); ++j) {
      float& c = product.c[i * product.c_step + j];
      float total = 0, sum = 0;
      for (int64_t r = 0; r < index.terms(); r += kTernaryGroup) {
        const uint32_t word = index.words()[r / kTernaryWordTerms * index.stride() + j];
        const uint32_t code = word >> (r % kTernaryWordTerms / kTernaryGroup * kBits) & 31;
        sum += (coded(term_of(i, r), code % 3) + coded(term_of(i, r + 1), code / 3 % 3)) +
               coded(term_of(i, r + 2), code / 9);
        const int64_t next = r + kTernaryGroup;
        if (next % kTernaryBlock != 0 && next < index.terms()) continue;
        total = r < kTernaryBlock ? sum : total + sum;
        sum = 0;
      }
      c = product.add ? c + total : total;
    }
}

// Fewer rows than an instruction set takes, through as many as it does.
void part_of_rows(TernaryRows rows, const TernaryProduct& product, int64_t first, int64_t count) {
  thread_local Buffer<float> given, made;
  const TernaryIndex& index = *product.index;
  const int64_t terms = index.terms(), columns = index.columns();
  float *a = given.at_least(kTernaryRows * terms), *c = made.at_least(kTernaryRows * columns);
  for (int64_t i = 0; i < kTernaryRows; ++i)
    for (int64_t r = 0; r < terms; ++r)
      a[i * terms + r] = i < count ? product.a.data[(first + i) * product.a.row_step + r * product.a.term_step] : 0.0f;
  rows({.a = {a, terms, 1}, .index = &index, .c = c, .c_step = columns}, 0, kTernaryRows);
  for (int64_t i = 0; i < count; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      float& to = product.c[(first + i) * product.c_step + j];
      to = product.add ? to + c[i * columns + j] : c[i * columns + j];
    }
}

}  // namespace

TernaryIndex::TernaryIndex(int64_t terms, int64_t columns)
    : terms_(terms), columns_(columns), stride_(columns_with_spare(columns)), words_(words_of_terms(terms) * stride_) {}

int64_t TernaryIndex::memory(int64_t terms, int64_t columns) {
  return words_of_terms(terms) * columns_with_spare(columns) * static_cast<int64_t>(sizeof(uint32_t));
}

void TernaryIndex::fill(const float* codes, int64_t first, int64_t last) {
  for (int64_t word = first / kTernaryWordTerms; word * kTernaryWordTerms < last; ++word) {
    uint32_t* to = words_.at(word * stride_);
    uint32_t missing = 0;  // terms behind the last, which are 0
    for (int64_t t = 0; t < kTernaryWordTerms; ++t)
      if (word * kTernaryWordTerms + t >= terms_) missing += kPlaces[t % kTernaryGroup] << (t / kTernaryGroup * kBits);
    std::fill_n(to, stride_, missing);
    for (int64_t t = 0; t < kTernaryWordTerms; ++t) {
      const int64_t term = word * kTernaryWordTerms + t;
      if (term < terms_)
        add_codes(codes + term * columns_, columns_, kPlaces[t % kTernaryGroup] << (t / kTernaryGroup * kBits), to);
    }
  }
}

TernaryRows ternary_rows([[maybe_unused]] Isa isa) {
#ifdef BITSWEEP_INTRINSICS
  if (isa == Isa::avx512_vpopcnt || isa == Isa::avx512) return ternary_rows_avx512;
  if (isa == Isa::avx2) return ternary_rows_avx2;
#endif
  return nullptr;
}

void ternary_product_rows(const TernaryProduct& product, int64_t first, int64_t last) {
  const TernaryRows rows = ternary_rows(current_isa());
  if (rows == nullptr) return rows_plain(product, first, last);
  const int64_t whole = (last - first) / kTernaryRows * kTernaryRows;
  rows(product, first, first + whole);
  if (first + whole < last) part_of_rows(rows, product, first + whole, last - first - whole);
}

}  // namespace bitsweep::kernels
