// Sixteen terms a register. Integers are packed by the CPU's own instructions, which loops that are compiled for
// AVX-512 F alone do not find.
#include "kernels/quantized_row_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX512

namespace bitsweep::kernels {
namespace {

constexpr int64_t kLanesOf = 16;
constexpr int kParts = static_cast<int>(kSpan / kLanesOf);

// mix of quantized_rows.cpp.
inline __attribute__((always_inline)) __m512i mix(__m512i h) {
  h = _mm512_xor_si512(h, _mm512_srli_epi32(h, 16));
  h = _mm512_mullo_epi32(h, _mm512_set1_epi32(0x7feb352d));
  h = _mm512_xor_si512(h, _mm512_srli_epi32(h, 15));
  h = _mm512_mullo_epi32(h, _mm512_set1_epi32(static_cast<int>(0x846ca68bu)));
  return _mm512_xor_si512(h, _mm512_srli_epi32(h, 16));
}

inline __attribute__((always_inline)) __m512i nearest_integers(const float* x, __m512 factor) {
  return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x), factor));
}

void round_words(const float* x, const RowRounding& rounding, int64_t spans, int16_t* q) {
  const __m512 factor = _mm512_set1_ps(rounding.factor);
  const auto live = static_cast<__mmask16>(rounding.live);
  const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  for (int64_t r = 0; r < spans * kSpan; r += 2 * kLanesOf) {
    const __m512i low = _mm512_maskz_mov_epi32(live, nearest_integers(x + r, factor));
    const __m512i high = _mm512_maskz_mov_epi32(live, nearest_integers(x + r + kLanesOf, factor));
    _mm512_storeu_si512(q + r, _mm512_permutexvar_epi64(order, _mm512_packs_epi32(low, high)));
  }
}

void round_bytes(const float* x, const RowRounding& rounding, int64_t span, int64_t spans, int8_t* q) {
  const __m512 factor = _mm512_set1_ps(rounding.factor);
  const auto live = static_cast<__mmask16>(rounding.live);
  const __m512i byte = _mm512_set1_epi32(255);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i lanes = _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                                           _mm512_set1_epi32(static_cast<int>(kNoiseStep)));
  for (int64_t s = 0; s < spans; ++s, x += kSpan, q += kSpan) {
    const uint32_t begin = rounding.key + static_cast<uint32_t>((span + s) * kNoiseLanes) * kNoiseStep;
    __m512i noise = mix(_mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(begin))));
    __m512i rounded[kParts];
#pragma GCC unroll 4
    for (int b = 0; b < kParts; ++b) {
      const __m512i sum = _mm512_add_epi32(nearest_integers(x + b * kLanesOf, factor), _mm512_and_si512(noise, byte));
      rounded[b] = _mm512_maskz_mov_epi32(live, _mm512_srai_epi32(sum, 8));
      noise = _mm512_srli_epi32(noise, 8);
    }
    const __m512i bytes =
        _mm512_packs_epi16(_mm512_packs_epi32(rounded[0], rounded[1]), _mm512_packs_epi32(rounded[2], rounded[3]));
    _mm512_storeu_si512(q, _mm512_permutexvar_epi32(order, bytes));
  }
}

}  // namespace

void round_spans_avx512(const float* x, const RowRounding& rounding, int64_t row, int64_t span, int64_t spans,
                        const QuantizedRows& out) {
  if (out.kind() == QuantizedKind::int16) {
    round_words(x, rounding, spans, out.words(row) + span * kSpan);
  } else {
    round_bytes(x, rounding, span, spans, out.bytes(row) + span * kSpan);
  }
}

uint32_t largest_term_avx512(const float* x, int64_t depth) {
  const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
  __m512i most[kParts];
#pragma GCC unroll 4
  for (int b = 0; b < kParts; ++b) most[b] = _mm512_setzero_si512();
  int64_t r = 0;
  for (; r + kSpan <= depth; r += kSpan) {
#pragma GCC unroll 4
    for (int b = 0; b < kParts; ++b)
      most[b] = _mm512_max_epu32(most[b], _mm512_and_si512(_mm512_loadu_si512(x + r + b * kLanesOf), magnitude));
  }
  for (; r < depth; r += kLanesOf) {
    const auto live = static_cast<__mmask16>(depth - r >= kLanesOf ? 0xffff : (1u << (depth - r)) - 1);
    const __m512i rest = _mm512_castps_si512(_mm512_maskz_loadu_ps(live, x + r));
    most[0] = _mm512_max_epu32(most[0], _mm512_and_si512(rest, magnitude));
  }
  alignas(64) uint32_t lanes[kLanesOf];
  _mm512_store_si512(lanes, _mm512_max_epu32(_mm512_max_epu32(most[0], most[1]), _mm512_max_epu32(most[2], most[3])));
  uint32_t largest = 0;
  for (const uint32_t lane : lanes) largest = lane > largest ? lane : largest;
  return largest;
}

void turn_avx512(const float* from, int64_t from_step, float* to) {
  for (int64_t r = 0; r < kSpan; r += kLanesOf) {
    for (int64_t i = 0; i < kSpan; i += kLanesOf) {
      // Row k of a block of sixteen by sixteen; after each step a register is neighbours of twice as many rows.
      __m512 rows[kLanesOf], pairs[kLanesOf];
#pragma GCC unroll 16
      for (int64_t k = 0; k < kLanesOf; ++k) rows[k] = _mm512_loadu_ps(from + (r + k) * from_step + i);
#pragma GCC unroll 8
      for (int64_t k = 0; k < kLanesOf; k += 2) {
        pairs[k] = _mm512_unpacklo_ps(rows[k], rows[k + 1]);
        pairs[k + 1] = _mm512_unpackhi_ps(rows[k], rows[k + 1]);
      }
#pragma GCC unroll 4
      for (int64_t k = 0; k < kLanesOf; k += 4) {
        rows[k] = _mm512_shuffle_ps(pairs[k], pairs[k + 2], 0b01000100);
        rows[k + 1] = _mm512_shuffle_ps(pairs[k], pairs[k + 2], 0b11101110);
        rows[k + 2] = _mm512_shuffle_ps(pairs[k + 1], pairs[k + 3], 0b01000100);
        rows[k + 3] = _mm512_shuffle_ps(pairs[k + 1], pairs[k + 3], 0b11101110);
      }
#pragma GCC unroll 4
      for (int64_t k = 0; k < 4; ++k) {
        pairs[k] = _mm512_shuffle_f32x4(rows[k], rows[k + 4], 0b10001000);
        pairs[k + 4] = _mm512_shuffle_f32x4(rows[k], rows[k + 4], 0b11011101);
        pairs[k + 8] = _mm512_shuffle_f32x4(rows[k + 8], rows[k + 12], 0b10001000);
        pairs[k + 12] = _mm512_shuffle_f32x4(rows[k + 8], rows[k + 12], 0b11011101);
      }
#pragma GCC unroll 4
      for (int64_t k = 0; k < 4; ++k) {
        float* column = to + (i + k) * kSpan + r;
        _mm512_storeu_ps(column, _mm512_shuffle_f32x4(pairs[k], pairs[k + 8], 0b10001000));
        _mm512_storeu_ps(column + 4 * kSpan, _mm512_shuffle_f32x4(pairs[k + 4], pairs[k + 12], 0b10001000));
        _mm512_storeu_ps(column + 8 * kSpan, _mm512_shuffle_f32x4(pairs[k], pairs[k + 8], 0b11011101));
        _mm512_storeu_ps(column + 12 * kSpan, _mm512_shuffle_f32x4(pairs[k + 4], pairs[k + 12], 0b11011101));
      }
    }
  }
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
