// A group's table has all sixteen sums; vpermps looks four bits up for sixteen columns.
#include <algorithm>

#include "kernels/table_product_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX512

namespace bitsweep::kernels {
namespace {

constexpr int64_t kLanesOf = 16, kRows = kTableRows, kWordBytes = 4;
constexpr int kGroupsOfRegister = 4;

inline __attribute__((always_inline)) __mmask16 first_lanes(int64_t count) {
  if (count <= 0) return 0;
  return static_cast<__mmask16>(count >= kLanesOf ? 0xffff : (1u << count) - 1);
}

// How the sixteen sums of four terms come of the sums Σ and differences Δ of two: a register has eight Σ and then
// eight Δ, another all of these with −.
struct PairSums {
  alignas(64) int32_t of[8][2][16];  // [pair][first or second of a group]: which of the 32
};
constexpr PairSums pair_sums() {
  PairSums sums{};
  for (int pair = 0; pair < 8; ++pair)
    for (int second = 0; second < 2; ++second)
      for (int i = 0; i < 16; ++i) {
        const int bits = second ? i >> 2 : i & 3;
        sums.of[pair][second][i] = pair + (bits == 1 || bits == 2 ? 8 : 0) + (bits & 1 ? 16 : 0);
      }
  return sums;
}
constexpr PairSums kPairSums = pair_sums();

inline __attribute__((always_inline)) __m512 minus(__m512 x) {
  return _mm512_castsi512_ps(
      _mm512_xor_si512(_mm512_castps_si512(x), _mm512_set1_epi32(static_cast<int>(0x80000000u))));
}

// The table of the group whose terms are the pairs `first` and `second` of `plus`.
inline __attribute__((always_inline)) void store_table(__m512 plus, __m512 less, int first, int second, float* table) {
  const __m512 a = _mm512_permutex2var_ps(plus, _mm512_load_si512(kPairSums.of[first][0]), less);
  const __m512 b = _mm512_permutex2var_ps(plus, _mm512_load_si512(kPairSums.of[second][1]), less);
  _mm512_store_ps(table, _mm512_add_ps(a, b));
}

// Of sixteen terms of a row, whose four tables lie kRows apart.
inline __attribute__((always_inline)) void fill_row(__m512 x, float* tables) {
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 0, 2, 4, 6, 8, 10, 12, 14);
  const __m512i odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 1, 3, 5, 7, 9, 11, 13, 15);
  const __m512 first = _mm512_permutexvar_ps(even, x), second = _mm512_permutexvar_ps(odd, x);
  const __m512 plus = _mm512_mask_sub_ps(_mm512_add_ps(first, second), 0xff00, first, second);
  const __m512 less = minus(plus);
#pragma GCC unroll 4
  for (int g = 0; g < kGroupsOfRegister; ++g) store_table(plus, less, 2 * g, 2 * g + 1, tables + g * kRows * 16);
}

// Rows whose terms are neighbours. Groups are made four at a time, for whose last there is always room.
void fill_along(const FloatRows& a, int64_t row, int64_t rows, int64_t term, int64_t terms, int64_t groups,
                float* tables) {
  const float* from = a.data + row * a.row_step + term;
  int64_t left = terms - term;
  for (int64_t g = 0; g < groups; g += kGroupsOfRegister) {
    if (left >= kLanesOf && row + kRows <= rows) {
#pragma GCC unroll 4
      for (int64_t q = 0; q < kRows; ++q) fill_row(_mm512_loadu_ps(from + q * a.row_step), tables + q * 16);
    } else {
      for (int64_t q = 0; q < kRows; ++q) {
        const __mmask16 live = row + q < rows ? first_lanes(left) : __mmask16{0};
        fill_row(_mm512_maskz_loadu_ps(live, from + q * a.row_step), tables + q * 16);
      }
    }
    from += kLanesOf;
    left -= kLanesOf;
    tables += kGroupsOfRegister * kRows * 16;
  }
}

// Rows that are neighbours in a term; `load` finds those of one.
template <class Load>
inline __attribute__((always_inline)) void fill_group(const Load& load, int64_t term, float* tables) {
  const __m256 first = _mm256_insertf128_ps(_mm256_castps128_ps256(load(term)), load(term + 2), 1);
  const __m256 second = _mm256_insertf128_ps(_mm256_castps128_ps256(load(term + 1)), load(term + 3), 1);
  const __m512d sums = _mm512_castps_pd(_mm512_castps256_ps512(_mm256_add_ps(first, second)));
  const __m512 plus = _mm512_castpd_ps(_mm512_insertf64x4(sums, _mm256_castps_pd(_mm256_sub_ps(first, second)), 1));
  const __m512 less = minus(plus);
#pragma GCC unroll 4
  for (int q = 0; q < kRows; ++q) store_table(plus, less, q, q + 4, tables + q * 16);
}

void fill_across(const FloatRows& a, int64_t row, int64_t rows, int64_t term, int64_t terms, int64_t groups,
                 float* tables) {
  const float* from = a.data + row;
  const int64_t step = a.term_step;
  int64_t g = 0;
  if (row + kRows <= rows) {
    const auto load = [&](int64_t t) __attribute__((always_inline)) { return _mm_loadu_ps(from + t * step); };
    for (; g < groups && term + kGroup <= terms; ++g, term += kGroup, tables += kRows * 16)
      fill_group(load, term, tables);
  }
  const __mmask16 of_rows = first_lanes(std::min(kRows, rows - row));
  const auto load = [&](int64_t t) __attribute__((always_inline)) {
    return _mm512_castps512_ps128(_mm512_maskz_loadu_ps(t < terms ? of_rows : __mmask16{0}, from + t * step));
  };
  for (; g < groups; ++g, term += kGroup, tables += kRows * 16) fill_group(load, term, tables);
}

void fill_tables(const FloatRows& a, int64_t row, int64_t rows, int64_t term, int64_t terms, int64_t groups,
                 float* tables) {
  if (a.term_step == 1) return fill_along(a, row, rows, term, terms, groups, tables);
  fill_across(a, row, rows, term, terms, groups, tables);
}

template <int Blocks>
inline __attribute__((always_inline)) void add_group(const float* tables, const __m512i (&bits)[Blocks],
                                                     __m512 (&sums)[kRows][Blocks]) {
  const __m512 one = _mm512_set1_ps(1);
  const __m512 t0 = _mm512_load_ps(tables), t1 = _mm512_load_ps(tables + 16);
  const __m512 t2 = _mm512_load_ps(tables + 32), t3 = _mm512_load_ps(tables + 48);
#pragma GCC unroll 4
  for (int b = 0; b < Blocks; ++b) {
    sums[0][b] = _mm512_add_ps(sums[0][b], _mm512_permutexvar_ps(bits[b], t0));
    sums[1][b] = _mm512_add_ps(sums[1][b], _mm512_permutexvar_ps(bits[b], t1));
    // The same sums by other ports than the look-ups': x · 1 + sum rounds once.
    sums[2][b] = _mm512_fmadd_ps(_mm512_permutexvar_ps(bits[b], t2), one, sums[2][b]);
    sums[3][b] = _mm512_fmadd_ps(_mm512_permutexvar_ps(bits[b], t3), one, sums[3][b]);
  }
}

template <int Blocks>
inline __attribute__((always_inline)) void add_blocks(const TableTile& tile, const float* tables, int64_t column) {
  __m512 sums[kRows][Blocks];
#pragma GCC unroll 4
  for (int q = 0; q < kRows; ++q)
#pragma GCC unroll 4
    for (int b = 0; b < Blocks; ++b) sums[q][b] = _mm512_setzero_ps();
  const auto* index = reinterpret_cast<const uint8_t*>(tile.index + column);
  for (int64_t left = tile.groups; left > 0; index += (tile.index_stride - 1) * kWordBytes) {
    // A byte of each word is two groups' bits: read from there on, it needs one shift, which look-ups have to wait for.
    for (int byte = 0; byte < kWordBytes && left > 0; ++byte, ++index) {
      __m512i bits[Blocks];
#pragma GCC unroll 4
      for (int b = 0; b < Blocks; ++b) bits[b] = _mm512_loadu_si512(index + b * kLanesOf * kWordBytes);
      add_group<Blocks>(tables, bits, sums);
      tables += kRows * 16;
      if (left > 1) {
#pragma GCC unroll 4
        for (int b = 0; b < Blocks; ++b) bits[b] = _mm512_srli_epi32(bits[b], kGroup);
        add_group<Blocks>(tables, bits, sums);
        tables += kRows * 16;
      }
      left -= 2;
    }
  }
#pragma GCC unroll 4
  for (int b = 0; b < Blocks; ++b) {
    const int64_t left = tile.columns - column - b * kLanesOf;
    const auto live = static_cast<__mmask16>(left >= kLanesOf ? 0xffff : (1u << left) - 1);
#pragma GCC unroll 4
    for (int q = 0; q < kRows; ++q) {
      float* c = tile.c + q * tile.c_step + column + b * kLanesOf;
      const __m512 sum = sums[q][b];
      _mm512_mask_storeu_ps(c, live, tile.add ? _mm512_add_ps(_mm512_maskz_loadu_ps(live, c), sum) : sum);
    }
  }
}

void add_tile(const TableTile& tile) {
  const float* tables = tile.tables;
  int64_t j = 0;
  for (; j + 3 * kLanesOf < tile.columns; j += 4 * kLanesOf) add_blocks<4>(tile, tables, j);
  const int64_t blocks = (tile.columns - j + kLanesOf - 1) / kLanesOf;
  if (blocks == 3) add_blocks<3>(tile, tables, j);
  if (blocks == 2) add_blocks<2>(tile, tables, j);
  if (blocks == 1) add_blocks<1>(tile, tables, j);
}

}  // namespace

const TableKernels kTablesAvx512{fill_tables, add_tile, nullptr};

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
