// As byte_products_avx2.cpp, twice as wide; and with VNNI, whose vpdpbusd adds four products to int32 at once.
#include <algorithm>

#include "kernels/byte_product_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX512

namespace bitsweep::kernels {
namespace {

constexpr int kVectors = 2, kShortRows = 6, kVnniRows = 12;
constexpr int64_t kLanesOf = 16, kVectorBytes = 64, kGroupBytes = kCodeColumns * kByteGroup;
static_assert(kVnniRows <= kMostByteTileRows && kByteTileRows % kShortRows == 0 && kByteTileRows % kVnniRows == 0);

inline __attribute__((always_inline)) __m512i four_terms(const int8_t* at) {
  int32_t terms;
  __builtin_memcpy(&terms, at, sizeof terms);
  return _mm512_set1_epi32(terms);
}

template <int Rows>
void short_tile(const ByteTile& tile) {
  const __m512i ones = _mm512_set1_epi16(1);
  __m512i sums[Rows][kVectors];
  std::fill_n(tile.sums, Rows * kCodeColumns, 0);
  const uint8_t* panel = tile.panel;
  for (int64_t group = 0; group < tile.groups;) {
#pragma GCC unroll 6
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sums[i][v] = _mm512_setzero_si512();
    const int64_t end = std::min(group + kShortGroups, tile.groups);
    for (; group < end; ++group, panel += kGroupBytes) {
      const __m512i low = _mm512_load_si512(panel), high = _mm512_load_si512(panel + kVectorBytes);
#pragma GCC unroll 6
      for (int i = 0; i < Rows; ++i) {
        const __m512i q = four_terms(tile.rows + i * tile.row_step + group * kByteGroup);
        sums[i][0] = _mm512_add_epi16(sums[i][0], _mm512_maddubs_epi16(low, q));
        sums[i][1] = _mm512_add_epi16(sums[i][1], _mm512_maddubs_epi16(high, q));
      }
    }
#pragma GCC unroll 6
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        int32_t* to = tile.sums + i * kCodeColumns + v * kLanesOf;
        const __m512i wide = _mm512_madd_epi16(sums[i][v], ones);
        _mm512_storeu_si512(to, _mm512_add_epi32(_mm512_loadu_si512(to), wide));
      }
  }
}

constexpr void (*kShortTiles[kShortRows])(const ByteTile&) = {short_tile<1>, short_tile<2>, short_tile<3>,
                                                              short_tile<4>, short_tile<5>, short_tile<6>};
void add_short_tile(int64_t rows, const ByteTile& tile) { kShortTiles[rows - 1](tile); }

}  // namespace

const ByteKernels kBytesAvx512{kShortRows, add_short_tile};

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA
BITSWEEP_BEGIN_AVX512_VPOPCNT

namespace bitsweep::kernels {
namespace {

// Rows of q lie in lots of three, as an address has a base and one step, or twice that.
template <int Rows>
void vnni_tile(const ByteTile& tile) {
  __m512i sums[Rows][kVectors];
#pragma GCC unroll 12
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) sums[i][v] = _mm512_setzero_si512();
  const int64_t step = tile.row_step;
  const int8_t *q0 = tile.rows, *q3 = q0 + 3 * step, *q6 = q3 + 3 * step, *q9 = q6 + 3 * step;
  const uint8_t* panel = tile.panel;
  for (int64_t group = tile.groups; group > 0; --group, panel += kGroupBytes) {
    const __m512i low = _mm512_load_si512(panel), high = _mm512_load_si512(panel + kVectorBytes);
#pragma GCC unroll 12
    for (int i = 0; i < Rows; ++i) {
      const int8_t* q = i < 3 ? q0 : i < 6 ? q3 : i < 9 ? q6 : q9;
      const __m512i terms = four_terms(q + i % 3 * step);
      sums[i][0] = _mm512_dpbusd_epi32(sums[i][0], low, terms);
      sums[i][1] = _mm512_dpbusd_epi32(sums[i][1], high, terms);
    }
    q0 += kByteGroup;
    q3 += kByteGroup;
    q6 += kByteGroup;
    q9 += kByteGroup;
  }
#pragma GCC unroll 12
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) _mm512_storeu_si512(tile.sums + i * kCodeColumns + v * kLanesOf, sums[i][v]);
}

constexpr void (*kVnniTiles[kVnniRows])(const ByteTile&) = {vnni_tile<1>, vnni_tile<2>,  vnni_tile<3>,  vnni_tile<4>,
                                                            vnni_tile<5>, vnni_tile<6>,  vnni_tile<7>,  vnni_tile<8>,
                                                            vnni_tile<9>, vnni_tile<10>, vnni_tile<11>, vnni_tile<12>};
void add_vnni_tile(int64_t rows, const ByteTile& tile) { kVnniTiles[rows - 1](tile); }

}  // namespace

const ByteKernels kBytesVnni{kVnniRows, add_vnni_tile};

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
