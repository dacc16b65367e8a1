// Tiles of 6 × 16: twelve sums in registers, which is as many as two multiply-adds a cycle keep busy.
#include "kernels/outer_product_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX2

namespace bitsweep::kernels {
namespace {

constexpr int64_t kRows = 6, kColumns = 16, kLanesOf = 8;
static_assert(kRows <= kMostOuterRows && kOuterRows % kRows == 0);
static_assert(kColumns <= kMostOuterColumns && kColumns >= kLeastOuterColumns);

template <int Rows>
void tile_of(const OuterTile& tile) {
  // C, which may lie far out, comes while the sums are made.
#pragma GCC unroll 6
  for (int i = 0; i < Rows; ++i) __builtin_prefetch(tile.c + i * tile.c_step, 1);
  __m256 sums[Rows][2];
#pragma GCC unroll 6
  for (int i = 0; i < Rows; ++i) sums[i][0] = sums[i][1] = _mm256_setzero_ps();
  const float *a = tile.a, *b = tile.b;
  for (int64_t r = tile.depth; r > 0; --r, a += Rows, b += kColumns) {
    const __m256 low = _mm256_load_ps(b), high = _mm256_load_ps(b + kLanesOf);
#pragma GCC unroll 6
    for (int i = 0; i < Rows; ++i) {
      const __m256 of_row = _mm256_set1_ps(a[i]);
      sums[i][0] = _mm256_fmadd_ps(of_row, low, sums[i][0]);
      sums[i][1] = _mm256_fmadd_ps(of_row, high, sums[i][1]);
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      float* c = tile.c + i * tile.c_step + h * kLanesOf;
      _mm256_storeu_ps(c, tile.add ? _mm256_add_ps(_mm256_loadu_ps(c), sums[i][h]) : sums[i][h]);
    }
}

constexpr void (*kTiles[kRows])(const OuterTile&) = {tile_of<1>, tile_of<2>, tile_of<3>,
                                                     tile_of<4>, tile_of<5>, tile_of<6>};

void add_tile(int64_t rows, const OuterTile& tile) { kTiles[rows - 1](tile); }

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

void pack_a(const OuterPanels& panels) { pack_panels<CopyA, false>(panels); }
void pack_b(const OuterPanels& panels) { pack_panels<CopyB, true>(panels); }

}  // namespace

const OuterKernels kOuterAvx2{kRows, kColumns, pack_a, pack_b, add_tile};

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
