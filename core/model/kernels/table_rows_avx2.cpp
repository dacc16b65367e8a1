// Sixteen rows at a time, with rows in the lanes: the sums of four terms of all sixteen rows are entries of a table in
// the nearest cache, and a column adds the entry that its four bits name. One addition from memory is then 32 products,
// where a look-up by shuffling takes an instruction of its own for 16; it pays from kWideColumns columns on, which
// share the making of the tables.
#include <algorithm>
#include <cstring>

#include "kernels/table_product_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX2

namespace bitsweep::kernels {
namespace {

constexpr int64_t kEntries = 16;                           // of a group
constexpr int64_t kEntryFloats = kWideRows;                // one a row
constexpr int64_t kGroupFloats = kEntries * kEntryFloats;  // 1 kB
constexpr int64_t kStretch = 64;                           // terms whose tables stand at once: 16 kB
constexpr int64_t kStretchGroups = kStretch / kGroup, kWordGroups = kWordBits / kGroup;
constexpr int kColumns = 4;  // that are summed side by side

struct Scratch {
  Buffer<float> terms;   // [kStretch][kWideRows]
  Buffer<float> tables;  // [kStretchGroups][kEntries][kWideRows]
  Buffer<float> sums;    // of a block of terms, [columns][kWideRows]
  Buffer<float> totals;  // of those before it
};

inline __attribute__((always_inline)) void transpose8(const float* from, int64_t step, float* to) {
  __m256 r[8], t[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) r[i] = _mm256_loadu_ps(from + i * step);
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) {
    const __m256 a = t[4 * i], b = t[4 * i + 1], c = t[4 * i + 2], d = t[4 * i + 3];
    r[4 * i] = _mm256_shuffle_ps(a, c, 0b01000100);
    r[4 * i + 1] = _mm256_shuffle_ps(a, c, 0b11101110);
    r[4 * i + 2] = _mm256_shuffle_ps(b, d, 0b01000100);
    r[4 * i + 3] = _mm256_shuffle_ps(b, d, 0b11101110);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    _mm256_storeu_ps(to + i * kWideRows, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
    _mm256_storeu_ps(to + (i + 4) * kWideRows, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
  }
}

// terms[t] = the sixteen rows' term first + t; 0 beyond the last.
void take_terms(const FloatRows& a, int64_t row, int64_t first, int64_t count, float* terms) {
  const float* from = a.data + row * a.row_step + first * a.term_step;
  int64_t t = 0;
  if (a.row_step == 1) {
    for (; t < count; ++t) std::memcpy(terms + t * kWideRows, from + t * a.term_step, kWideRows * sizeof(float));
  } else {
    // Eight rows to their end, then the others: rows a power of 2 apart share few places in the nearest cache.
    for (int64_t half = 0; half < kWideRows; half += 8)
      for (t = 0; t + 8 <= count; t += 8)
        transpose8(from + half * a.row_step + t, a.row_step, terms + t * kWideRows + half);
    for (; t < count; ++t)
      for (int64_t i = 0; i < kWideRows; ++i) terms[t * kWideRows + i] = from[i * a.row_step + t];
  }
  const int64_t whole = rounded_up(count, kWordBits);
  std::memset(terms + t * kWideRows, 0, static_cast<size_t>((whole - t) * kWideRows) * sizeof(float));
}

// ±a ±b: bit 0 of the place says whether a is subtracted, bit 1 whether b.
inline __attribute__((always_inline)) void pairs_of(__m256 a, __m256 b, __m256* pairs) {
  const __m256 minus = _mm256_set1_ps(-0.0f);
  pairs[0] = _mm256_add_ps(a, b);
  pairs[1] = _mm256_sub_ps(b, a);
  pairs[2] = _mm256_sub_ps(a, b);
  pairs[3] = _mm256_sub_ps(_mm256_xor_ps(a, minus), b);
}

void fill_entries(const float* terms, int64_t groups, float* tables) {
  for (int64_t g = 0; g < groups; ++g, terms += kGroup * kWideRows, tables += kGroupFloats) {
    for (int64_t half = 0; half < kWideRows; half += 8) {
      __m256 low[4], high[4];
      const float* from = terms + half;
      pairs_of(_mm256_load_ps(from), _mm256_load_ps(from + kWideRows), low);
      pairs_of(_mm256_load_ps(from + 2 * kWideRows), _mm256_load_ps(from + 3 * kWideRows), high);
#pragma GCC unroll 16
      for (int e = 0; e < kEntries; ++e)
        _mm256_store_ps(tables + e * kEntryFloats + half, _mm256_add_ps(low[e & 3], high[e >> 2]));
    }
  }
}

// Adds what eight groups of terms give to the sums of kColumns columns.
inline __attribute__((always_inline)) void add_word(const float* tables, const uint32_t* index,
                                                    __m256 (&sums)[kColumns][2]) {
  constexpr uint64_t kEntryBytes = kEntryFloats * sizeof(float);
  constexpr uint64_t kMask = (kEntries - 1) * kEntryBytes;
  const char* base = reinterpret_cast<const char*>(tables);
  uint64_t places[kColumns];  // the next group's entry, in bytes, lies in the bits of kMask
#pragma GCC unroll 4
  for (int c = 0; c < kColumns; ++c) places[c] = uint64_t{index[c]} * kEntryBytes;
#pragma GCC unroll 1  // unrolled, GCC keeps addresses on the stack
  for (int64_t g = 0; g < kWordGroups; ++g, base += kGroupFloats * sizeof(float)) {
#pragma GCC unroll 4
    for (int c = 0; c < kColumns; ++c) {
      const auto* entry = reinterpret_cast<const float*>(base + (places[c] & kMask));
      places[c] >>= kGroup;
      sums[c][0] = _mm256_add_ps(sums[c][0], _mm256_load_ps(entry));
      sums[c][1] = _mm256_add_ps(sums[c][1], _mm256_load_ps(entry + 8));
    }
  }
}

// A stretch's share of the sums of all columns, a multiple of kColumns; they go on from what they are unless `fresh`.
void add_stretch(const float* tables, int64_t words, const uint32_t* index, int64_t index_stride, int64_t columns,
                 bool fresh, float* of_columns) {
  for (int64_t j = 0; j < columns; j += kColumns, of_columns += kColumns * kWideRows) {
    __m256 sums[kColumns][2];
#pragma GCC unroll 4
    for (int c = 0; c < kColumns; ++c)
#pragma GCC unroll 2
      for (int h = 0; h < 2; ++h)
        sums[c][h] = fresh ? _mm256_setzero_ps() : _mm256_load_ps(of_columns + c * kWideRows + h * 8);
    for (int64_t w = 0; w < words; ++w)
      add_word(tables + w * kWordGroups * kGroupFloats, index + w * index_stride + j, sums);
#pragma GCC unroll 4
    for (int c = 0; c < kColumns; ++c)
#pragma GCC unroll 2
      for (int h = 0; h < 2; ++h) _mm256_store_ps(of_columns + c * kWideRows + h * 8, sums[c][h]);
  }
}

void add_floats(const float* x, int64_t count, float* to) {
  for (int64_t i = 0; i < count; i += 8)
    _mm256_store_ps(to + i, _mm256_add_ps(_mm256_load_ps(to + i), _mm256_load_ps(x + i)));
}

// c[i][j] (= or +=) of_columns[j][i].
void put_rows(const float* of_columns, int64_t columns, float* c, int64_t c_step, bool add) {
  int64_t j = 0;
  alignas(kLineBytes) float block[8 * kWideRows];
  for (; j + 8 <= columns; j += 8) {
    for (int64_t half = 0; half < kWideRows; half += 8) {
      transpose8(of_columns + j * kWideRows + half, kWideRows, block);
      for (int64_t i = 0; i < 8; ++i) {
        float* to = c + (half + i) * c_step + j;
        const __m256 sum = _mm256_load_ps(block + i * kWideRows);
        _mm256_storeu_ps(to, add ? _mm256_add_ps(_mm256_loadu_ps(to), sum) : sum);
      }
    }
  }
  for (; j < columns; ++j)
    for (int64_t i = 0; i < kWideRows; ++i) {
      float& to = c[i * c_step + j];
      const float sum = of_columns[j * kWideRows + i];
      to = add ? to + sum : sum;
    }
}

}  // namespace

void table_rows_avx2(const TableProduct& product, int64_t first, int64_t last) {
  thread_local Scratch scratch;
  const int64_t columns = rounded_up(product.columns, kColumns), floats = columns * kWideRows;
  float* terms = scratch.terms.at_least(kStretch * kWideRows);
  float* tables = scratch.tables.at_least(kStretchGroups * kGroupFloats);
  float* sums = scratch.sums.at_least(floats);
  float* totals = scratch.totals.at_least(floats);
  for (int64_t row = first; row < last; row += kWideRows) {
    for (int64_t term = 0; term < product.terms; term += kStretch) {
      const int64_t count = std::min(kStretch, product.terms - term), words = (count + kWordBits - 1) / kWordBits;
      take_terms(product.a, row, term, count, terms);
      fill_entries(terms, words * kWordGroups, tables);
      add_stretch(tables, words, product.index->word((product.index_term + term) / kWordBits), product.index->stride(),
                  columns, /*fresh=*/term % kDepthBlock == 0, sums);
      const bool block_ends = (term + kStretch) % kDepthBlock == 0 || term + kStretch >= product.terms;
      if (!block_ends) continue;
      if (term < kDepthBlock) {
        std::swap(sums, totals);
      } else {
        add_floats(sums, floats, totals);
      }
    }
    put_rows(totals, product.columns, product.c + row * product.c_step, product.c_step, product.add);
  }
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
