// Tiles of 12 × 32: 24 sums in registers, and few loads for each multiply-add.
#include "kernels/outer_product_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX512

namespace bitsweep::kernels {
namespace {

constexpr int64_t kRows = 12, kColumns = 32, kLanesOf = 16;
static_assert(kRows <= kMostOuterRows && kOuterRows % kRows == 0);
static_assert(kColumns <= kMostOuterColumns && kColumns >= kLeastOuterColumns);

template <int Rows>
void tile_of(const OuterTile& tile) {
  // C, which may lie far out, comes while the sums are made.
#pragma GCC unroll 12
  for (int i = 0; i < Rows; ++i) {
    __builtin_prefetch(tile.c + i * tile.c_step, 1);
    __builtin_prefetch(tile.c + i * tile.c_step + kLanesOf, 1);
  }
  __m512 sums[Rows][2];
#pragma GCC unroll 12
  for (int i = 0; i < Rows; ++i) sums[i][0] = sums[i][1] = _mm512_setzero_ps();
  const float *a = tile.a, *b = tile.b;
  for (int64_t r = tile.depth; r > 0; --r, a += Rows, b += kColumns) {
    const __m512 low = _mm512_load_ps(b), high = _mm512_load_ps(b + kLanesOf);
#pragma GCC unroll 12
    for (int i = 0; i < Rows; ++i) {
      const __m512 of_row = _mm512_set1_ps(a[i]);
      sums[i][0] = _mm512_fmadd_ps(of_row, low, sums[i][0]);
      sums[i][1] = _mm512_fmadd_ps(of_row, high, sums[i][1]);
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      float* c = tile.c + i * tile.c_step + h * kLanesOf;
      _mm512_storeu_ps(c, tile.add ? _mm512_add_ps(_mm512_loadu_ps(c), sums[i][h]) : sums[i][h]);
    }
}

constexpr void (*kTiles[kRows])(const OuterTile&) = {tile_of<1>, tile_of<2>,  tile_of<3>,  tile_of<4>,
                                                     tile_of<5>, tile_of<6>,  tile_of<7>,  tile_of<8>,
                                                     tile_of<9>, tile_of<10>, tile_of<11>, tile_of<12>};

void add_tile(int64_t rows, const OuterTile& tile) { kTiles[rows - 1](tile); }

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

void pack_a(const OuterPanels& panels) { pack_panels<CopyA, false>(panels); }
void pack_b(const OuterPanels& panels) { pack_panels<CopyB, true>(panels); }

}  // namespace

const OuterKernels kOuterAvx512{kRows, kColumns, pack_a, pack_b, add_tile};

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
