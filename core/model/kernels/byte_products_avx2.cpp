// vpmaddubsw multiplies 32 bytes and adds pairs to int16, where some stand before they are widened: tiles of 4 × 16.
#include <algorithm>

#include "kernels/byte_product_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX2

namespace bitsweep::kernels {
namespace {

constexpr int kRows = 4, kHalves = 2, kVectors = 2;
constexpr int64_t kLanesOf = 8, kVectorBytes = 32, kGroupBytes = kCodeColumns * kByteGroup;
static_assert(kRows <= kMostByteTileRows && kByteTileRows % kRows == 0);

inline __attribute__((always_inline)) __m256i four_terms(const int8_t* at) {
  int32_t terms;
  __builtin_memcpy(&terms, at, sizeof terms);
  return _mm256_set1_epi32(terms);
}

// Half a panel.
template <int Rows>
inline __attribute__((always_inline)) void add_half(const ByteTile& tile, const uint8_t* panel, int32_t* to) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[Rows][kVectors];
#pragma GCC unroll 4
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i * kCodeColumns + v * kLanesOf), _mm256_setzero_si256());
  for (int64_t group = 0; group < tile.groups;) {
#pragma GCC unroll 4
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sums[i][v] = _mm256_setzero_si256();
    const int64_t end = std::min(group + kShortGroups, tile.groups);
    for (; group < end; ++group, panel += kGroupBytes) {
      __m256i codes[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v)
        codes[v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(panel + v * kVectorBytes));
#pragma GCC unroll 4
      for (int i = 0; i < Rows; ++i) {
        const __m256i q = four_terms(tile.rows + i * tile.row_step + group * kByteGroup);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) sums[i][v] = _mm256_add_epi16(sums[i][v], _mm256_maddubs_epi16(codes[v], q));
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        auto* at = reinterpret_cast<__m256i*>(to + i * kCodeColumns + v * kLanesOf);
        _mm256_storeu_si256(at, _mm256_add_epi32(_mm256_loadu_si256(at), _mm256_madd_epi16(sums[i][v], ones)));
      }
  }
}

template <int Rows>
void tile_of(const ByteTile& tile) {
  for (int64_t half = 0; half < kHalves; ++half)
    add_half<Rows>(tile, tile.panel + half * kVectors * kVectorBytes, tile.sums + half * kVectors * kLanesOf);
}

constexpr void (*kTiles[kRows])(const ByteTile&) = {tile_of<1>, tile_of<2>, tile_of<3>, tile_of<4>};
void add_tile(int64_t rows, const ByteTile& tile) { kTiles[rows - 1](tile); }

}  // namespace

const ByteKernels kBytesAvx2{kRows, add_tile};

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
