// Tiles of 6 × 16: twelve sums in registers, which is as many as two multiply-adds a cycle keep busy.
#include <array>
#include <utility>

#include "kernels/float_product_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX2

namespace bitsweep::kernels {
namespace {

constexpr int64_t kRows = 6, kColumns = 16, kLanesOf = 8;
static_assert(kRows <= kMostTileRows && kFloatTileRows % kRows == 0);
static_assert(kColumns <= kMostTileColumns && kColumns >= kLeastTileColumns);

// Rows of A lie in lots of three, as an address has a base and one step, or twice that.
template <int Rows, int Vectors>
void tile_of(const FloatTile& tile) {
  // C, which may lie far out, comes while the sums are made.
#pragma GCC unroll 6
  for (int i = 0; i < Rows; ++i)
    for (int v = 0; v < Vectors; v += 2) __builtin_prefetch(tile.c + i * tile.c_step + v * kLanesOf, 1);
  __m256 sums[Rows][Vectors];
#pragma GCC unroll 6
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) sums[i][v] = _mm256_setzero_ps();
  const int64_t step = tile.a_row;
  const float *a0 = tile.a, *a3 = a0 + 3 * step, *a6 = a3 + 3 * step, *a9 = a6 + 3 * step, *b = tile.b;
  for (int64_t r = tile.depth; r > 0; --r, b += tile.b_term) {
    __m256 columns[Vectors];
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) columns[v] = _mm256_loadu_ps(b + v * kLanesOf);
#pragma GCC unroll 6
    for (int i = 0; i < Rows; ++i) {
      const float* a = i < 3 ? a0 : i < 6 ? a3 : i < 9 ? a6 : a9;
      const __m256 of_row = _mm256_set1_ps(a[i % 3 * step]);
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) sums[i][v] = _mm256_fmadd_ps(of_row, columns[v], sums[i][v]);
    }
    a0 += tile.a_term;
    a3 += tile.a_term;
    a6 += tile.a_term;
    a9 += tile.a_term;
  }
#pragma GCC unroll 6
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) {
      float* c = tile.c + i * tile.c_step + v * kLanesOf;
      _mm256_storeu_ps(c, tile.add ? _mm256_add_ps(_mm256_loadu_ps(c), sums[i][v]) : sums[i][v]);
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

inline __m256i first_lanes(int64_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

struct CopyA {
  static constexpr int64_t kFloats = kLanesOf;
  __m256i live;

  explicit CopyA(int64_t width) : live(first_lanes(width)) {}
  void operator()(const float* from, float* to) const { _mm256_storeu_ps(to, _mm256_maskload_ps(from, live)); }
};

struct CopyB {
  static constexpr int64_t kFloats = kColumns;
  __m256i low, high;

  explicit CopyB(int64_t width) : low(first_lanes(width)), high(first_lanes(width - kLanesOf)) {}
  void operator()(const float* from, float* to) const {
    _mm256_store_ps(to, _mm256_maskload_ps(from, low));
    _mm256_store_ps(to + kLanesOf, _mm256_maskload_ps(from + kLanesOf, high));
  }
};

void pack_a(const FloatPanels& panels) { pack_panels<CopyA, false>(panels); }
void pack_b(const FloatPanels& panels) { pack_panels<CopyB, true>(panels); }

// Pairs of rows, then pairs of pairs, then halves.
inline __attribute__((always_inline)) void transpose_eights(const float* from, int64_t from_step, float* to,
                                                            int64_t to_step) {
  __m256 pairs[8], fours[8];
#pragma GCC unroll 4
  for (int k = 0; k < 8; k += 2) {
    const __m256 even = _mm256_loadu_ps(from + k * from_step), odd = _mm256_loadu_ps(from + (k + 1) * from_step);
    pairs[k] = _mm256_unpacklo_ps(even, odd);
    pairs[k + 1] = _mm256_unpackhi_ps(even, odd);
  }
#pragma GCC unroll 2
  for (int k = 0; k < 8; k += 4) {
    fours[k] = _mm256_shuffle_ps(pairs[k], pairs[k + 2], 0x44);
    fours[k + 1] = _mm256_shuffle_ps(pairs[k], pairs[k + 2], 0xee);
    fours[k + 2] = _mm256_shuffle_ps(pairs[k + 1], pairs[k + 3], 0x44);
    fours[k + 3] = _mm256_shuffle_ps(pairs[k + 1], pairs[k + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {
    _mm256_storeu_ps(to + k * to_step, _mm256_permute2f128_ps(fours[k], fours[k + 4], 0x20));
    _mm256_storeu_ps(to + (k + 4) * to_step, _mm256_permute2f128_ps(fours[k], fours[k + 4], 0x31));
  }
}

}  // namespace

// Sixteen rows at a time, as far as they go: what they become fills lines of the cache at once, and such lines may lie
// so far apart that few of them have a place there.
void transpose_floats_avx2(const float* from, int64_t from_step, int64_t rows, int64_t terms, float* to,
                           int64_t to_step) {
  const int64_t eights = rows / 8 * 8;
  for (int64_t i = 0; i < eights; i += 16) {
    const bool both = i + 16 <= eights;
    const float* of_rows = from + i * from_step;
    int64_t r = 0;
    for (; r + 8 <= terms; r += 8) {
      transpose_eights(of_rows + r, from_step, to + r * to_step + i, to_step);
      if (both) transpose_eights(of_rows + 8 * from_step + r, from_step, to + r * to_step + i + 8, to_step);
    }
    for (; r < terms; ++r)
      for (int64_t k = 0; k < (both ? 16 : 8); ++k) to[r * to_step + i + k] = of_rows[k * from_step + r];
  }
  for (int64_t i = eights; i < rows; ++i)
    for (int64_t r = 0; r < terms; ++r) to[r * to_step + i] = from[i * from_step + r];
}

const FloatKernels kFloatsAvx2{kRows, kColumns, whole_tile, half_tile, transpose_floats_avx2};
const PanelKernels kPanelsAvx2{pack_a, pack_b};

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
