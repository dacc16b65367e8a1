// Tiles of 12 × 32: 24 sums in registers, and few loads for each multiply-add.
#include <array>
#include <utility>

#include "kernels/float_product_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX512

namespace bitsweep::kernels {
namespace {

constexpr int64_t kRows = 12, kColumns = 32, kLanesOf = 16;
static_assert(kRows <= kMostTileRows && kFloatTileRows % kRows == 0);
static_assert(kColumns <= kMostTileColumns && kColumns >= kLeastTileColumns);

// Rows of A lie in lots of three, as an address has a base and one step, or twice that.
template <int Rows, int Vectors>
void tile_of(const FloatTile& tile) {
  // C, which may lie far out, comes while the sums are made.
#pragma GCC unroll 12
  for (int i = 0; i < Rows; ++i)
    for (int v = 0; v < Vectors; v += 1) __builtin_prefetch(tile.c + i * tile.c_step + v * kLanesOf, 1);
  __m512 sums[Rows][Vectors];
#pragma GCC unroll 12
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) sums[i][v] = _mm512_setzero_ps();
  const int64_t step = tile.a_row;
  const float *a0 = tile.a, *a3 = a0 + 3 * step, *a6 = a3 + 3 * step, *a9 = a6 + 3 * step, *b = tile.b;
  for (int64_t r = tile.depth; r > 0; --r, b += tile.b_term) {
    __m512 columns[Vectors];
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) columns[v] = _mm512_loadu_ps(b + v * kLanesOf);
#pragma GCC unroll 12
    for (int i = 0; i < Rows; ++i) {
      const float* a = i < 3 ? a0 : i < 6 ? a3 : i < 9 ? a6 : a9;
      const __m512 of_row = _mm512_set1_ps(a[i % 3 * step]);
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) sums[i][v] = _mm512_fmadd_ps(of_row, columns[v], sums[i][v]);
    }
    a0 += tile.a_term;
    a3 += tile.a_term;
    a6 += tile.a_term;
    a9 += tile.a_term;
  }
#pragma GCC unroll 12
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) {
      float* c = tile.c + i * tile.c_step + v * kLanesOf;
      _mm512_storeu_ps(c, tile.add ? _mm512_add_ps(_mm512_loadu_ps(c), sums[i][v]) : sums[i][v]);
    }
}

template <int Vectors, size_t... Rows>
constexpr std::array<void (*)(const FloatTile&), kRows> tiles(std::index_sequence<Rows...>) {
  return {tile_of<static_cast<int>(Rows) + 1, Vectors>...};
}
constexpr auto kWholeTiles = tiles<2>(std::make_index_sequence<kRows>());
constexpr auto kHalfTiles = tiles<1>(std::make_index_sequence<kRows>());
void whole_tile(int64_t rows, const FloatTile& tile) { kWholeTiles[static_cast<size_t>(rows - 1)](tile); }
void half_tile(int64_t rows, const FloatTile& tile) { kHalfTiles[static_cast<size_t>(rows - 1)](tile); }

inline __mmask16 first_lanes(int64_t count) {
  return static_cast<__mmask16>(count >= kLanesOf ? 0xffff : count <= 0 ? 0 : (1u << count) - 1);
}

struct CopyA {
  static constexpr int64_t kFloats = kLanesOf;
  __mmask16 live;

  explicit CopyA(int64_t width) : live(first_lanes(width)) {}
  void operator()(const float* from, float* to) const { _mm512_storeu_ps(to, _mm512_maskz_loadu_ps(live, from)); }
};

struct CopyB {
  static constexpr int64_t kFloats = kColumns;
  __mmask16 low, high;

  explicit CopyB(int64_t width) : low(first_lanes(width)), high(first_lanes(width - kLanesOf)) {}
  void operator()(const float* from, float* to) const {
    _mm512_store_ps(to, _mm512_maskz_loadu_ps(low, from));
    _mm512_store_ps(to + kLanesOf, _mm512_maskz_loadu_ps(high, from + kLanesOf));
  }
};

void pack_a(const FloatPanels& panels) { pack_panels<CopyA, false>(panels); }
void pack_b(const FloatPanels& panels) { pack_panels<CopyB, true>(panels); }

inline __attribute__((always_inline)) __m512 unpack_pairs(__m512 a, __m512 b, bool high) {
  const __m512d x = _mm512_castps_pd(a), y = _mm512_castps_pd(b);
  return _mm512_castpd_ps(high ? _mm512_unpackhi_pd(x, y) : _mm512_unpacklo_pd(x, y));
}

// Pairs of rows, then fours, then eights and all sixteen.
inline __attribute__((always_inline)) void transpose_sixteens(const float* from, int64_t from_step, float* to,
                                                              int64_t to_step) {
  __m512 pairs[16], fours[16];
#pragma GCC unroll 8
  for (int k = 0; k < 16; k += 2) {
    const __m512 even = _mm512_loadu_ps(from + k * from_step), odd = _mm512_loadu_ps(from + (k + 1) * from_step);
    pairs[k] = _mm512_unpacklo_ps(even, odd);
    pairs[k + 1] = _mm512_unpackhi_ps(even, odd);
  }
#pragma GCC unroll 4
  for (int k = 0; k < 16; k += 4) {
    fours[k] = unpack_pairs(pairs[k], pairs[k + 2], false);
    fours[k + 1] = unpack_pairs(pairs[k], pairs[k + 2], true);
    fours[k + 2] = unpack_pairs(pairs[k + 1], pairs[k + 3], false);
    fours[k + 3] = unpack_pairs(pairs[k + 1], pairs[k + 3], true);
  }
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {
    const __m512 low_even = _mm512_shuffle_f32x4(fours[k], fours[4 + k], 0x88),
                 low_odd = _mm512_shuffle_f32x4(fours[k], fours[4 + k], 0xdd),
                 high_even = _mm512_shuffle_f32x4(fours[8 + k], fours[12 + k], 0x88),
                 high_odd = _mm512_shuffle_f32x4(fours[8 + k], fours[12 + k], 0xdd);
    _mm512_storeu_ps(to + k * to_step, _mm512_shuffle_f32x4(low_even, high_even, 0x88));
    _mm512_storeu_ps(to + (4 + k) * to_step, _mm512_shuffle_f32x4(low_odd, high_odd, 0x88));
    _mm512_storeu_ps(to + (8 + k) * to_step, _mm512_shuffle_f32x4(low_even, high_even, 0xdd));
    _mm512_storeu_ps(to + (12 + k) * to_step, _mm512_shuffle_f32x4(low_odd, high_odd, 0xdd));
  }
}

}  // namespace

void transpose_floats_avx512(const float* from, int64_t from_step, int64_t rows, int64_t terms, float* to,
                             int64_t to_step) {
  int64_t i = 0;
  for (; i + 16 <= rows; i += 16) {
    const float* of_rows = from + i * from_step;
    int64_t r = 0;
    for (; r + 16 <= terms; r += 16) transpose_sixteens(of_rows + r, from_step, to + r * to_step + i, to_step);
    transpose_floats_avx2(of_rows + r, from_step, 16, terms - r, to + r * to_step + i, to_step);
  }
  transpose_floats_avx2(from + i * from_step, from_step, rows - i, terms, to + i, to_step);
}

const FloatKernels kFloatsAvx512{kRows, kColumns, whole_tile, half_tile, transpose_floats_avx512};
const PanelKernels kPanelsAvx512{pack_a, pack_b};

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
