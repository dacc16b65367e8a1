#include <algorithm>

#include "kernels/flip_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX512

namespace bitsweep::kernels {
namespace {

#define BITSWEEP_AVX512_INLINE inline __attribute__((always_inline))

using Sixteen = __m512;

BITSWEEP_AVX512_INLINE Sixteen load(const float* from) { return _mm512_loadu_ps(from); }
BITSWEEP_AVX512_INLINE void store(float* to, Sixteen a) { _mm512_storeu_ps(to, a); }
BITSWEEP_AVX512_INLINE Sixteen all(float a) { return _mm512_set1_ps(a); }
BITSWEEP_AVX512_INLINE Sixteen plus(Sixteen a, Sixteen b) { return _mm512_add_ps(a, b); }
BITSWEEP_AVX512_INLINE Sixteen times(Sixteen a, Sixteen b) { return _mm512_mul_ps(a, b); }
BITSWEEP_AVX512_INLINE Sixteen floored(Sixteen a) { return _mm512_floor_ps(a); }
// Of a NaN and a number both instructions take the second operand.
BITSWEEP_AVX512_INLINE Sixteen within(Sixteen a, Sixteen low, Sixteen high) {
  return _mm512_min_ps(high, _mm512_max_ps(low, a));
}
BITSWEEP_AVX512_INLINE Sixteen sign_of(Sixteen a) {
  const Sixteen zero = _mm512_setzero_ps(), one = _mm512_set1_ps(1.0f);
  const Sixteen positive = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, zero, _CMP_GT_OQ), one);
  return _mm512_mask_mov_ps(positive, _mm512_cmp_ps_mask(a, zero, _CMP_LT_OQ), _mm512_set1_ps(-1.0f));
}
BITSWEEP_AVX512_INLINE Sixteen or_zero(Sixteen a) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, a, _CMP_ORD_Q), a);
}
BITSWEEP_AVX512_INLINE Sixteen negated_where(Sixteen a, uint32_t lanes) {
  const __m512i bits = _mm512_castps_si512(a);
  return _mm512_castsi512_ps(
      _mm512_mask_xor_epi32(bits, static_cast<__mmask16>(lanes), bits, _mm512_set1_epi32(INT32_MIN)));
}
BITSWEEP_AVX512_INLINE uint32_t zero_above(Sixteen& a, Sixteen b, Sixteen limit, bool reset) {
  const __mmask16 above = _mm512_cmp_ps_mask(b, limit, _CMP_GT_OQ);
  if (reset) a = _mm512_mask_mov_ps(a, above, _mm512_setzero_ps());
  return above;
}

template <int kBits>
BITSWEEP_AVX512_INLINE Sixteen levels_at(const uint8_t* from) {
  if constexpr (kBits == 16) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
  } else if constexpr (kBits == 8) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
  } else {
    const __m128i pairs = _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
    const __m128i nibbles = _mm_and_si128(_mm_or_si128(pairs, _mm_slli_epi16(pairs, 4)), _mm_set1_epi8(15));
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_sub_epi8(nibbles, _mm_set1_epi8(8))));
  }
}
template <int kBits>
BITSWEEP_AVX512_INLINE void put_levels(uint8_t* to, Sixteen a) {
  const __m512i levels = _mm512_cvttps_epi32(a);
  if constexpr (kBits == 16) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi32_epi16(levels));
  } else {
    const __m128i bytes = _mm512_cvtsepi32_epi8(levels);
    if constexpr (kBits == 8) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    } else {
      const __m128i pairs = _mm_maddubs_epi16(_mm_add_epi8(bytes, _mm_set1_epi8(8)), _mm_set1_epi16(0x1001));
      _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(pairs, pairs));
    }
  }
}

#include "kernels/flip_lanes.inc"

}  // namespace

void square_sums_avx512(const float* gradient, int64_t columns, int64_t first, int64_t last, float* of_rows,
                        float* of_columns) {
  square_sums_in_lanes(gradient, columns, first, last, of_rows, of_columns);
}

int64_t flip_rows_avx512(const FlipUpdate& update, int64_t first, int64_t last, Twister* votes, Twister* levels) {
  return flip_rows_in_lanes(update, first, last, votes, levels);
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
