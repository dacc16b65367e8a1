#include <algorithm>

#include "kernels/flip_isas.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX2

namespace bitsweep::kernels {
namespace {

#define BITSWEEP_AVX2_INLINE inline __attribute__((always_inline))

struct Sixteen {
  __m256 low, high;
};

BITSWEEP_AVX2_INLINE Sixteen load(const float* from) { return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)}; }
BITSWEEP_AVX2_INLINE void store(float* to, const Sixteen& a) {
  _mm256_storeu_ps(to, a.low);
  _mm256_storeu_ps(to + 8, a.high);
}
BITSWEEP_AVX2_INLINE Sixteen all(float a) { return {_mm256_set1_ps(a), _mm256_set1_ps(a)}; }
BITSWEEP_AVX2_INLINE Sixteen plus(const Sixteen& a, const Sixteen& b) {
  return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
BITSWEEP_AVX2_INLINE Sixteen times(const Sixteen& a, const Sixteen& b) {
  return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
BITSWEEP_AVX2_INLINE Sixteen floored(const Sixteen& a) { return {_mm256_floor_ps(a.low), _mm256_floor_ps(a.high)}; }
// Of a NaN and a number both instructions take the second operand.
BITSWEEP_AVX2_INLINE Sixteen within(const Sixteen& a, const Sixteen& low, const Sixteen& high) {
  return {_mm256_min_ps(high.low, _mm256_max_ps(low.low, a.low)),
          _mm256_min_ps(high.high, _mm256_max_ps(low.high, a.high))};
}
BITSWEEP_AVX2_INLINE __m256 sign_of(__m256 a) {
  const __m256 zero = _mm256_setzero_ps(), one = _mm256_set1_ps(1.0f);
  return _mm256_sub_ps(_mm256_and_ps(_mm256_cmp_ps(a, zero, _CMP_GT_OQ), one),
                       _mm256_and_ps(_mm256_cmp_ps(a, zero, _CMP_LT_OQ), one));
}
BITSWEEP_AVX2_INLINE Sixteen sign_of(const Sixteen& a) { return {sign_of(a.low), sign_of(a.high)}; }
BITSWEEP_AVX2_INLINE Sixteen or_zero(const Sixteen& a) {
  return {_mm256_and_ps(a.low, _mm256_cmp_ps(a.low, a.low, _CMP_ORD_Q)),
          _mm256_and_ps(a.high, _mm256_cmp_ps(a.high, a.high, _CMP_ORD_Q))};
}
BITSWEEP_AVX2_INLINE Sixteen negated_where(const Sixteen& a, uint32_t lanes) {
  const __m256i bits = _mm256_set1_epi32(static_cast<int>(lanes)), top = _mm256_set1_epi32(INT32_MIN);
  const __m256i low = _mm256_sllv_epi32(bits, _mm256_setr_epi32(31, 30, 29, 28, 27, 26, 25, 24));
  const __m256i high = _mm256_sllv_epi32(bits, _mm256_setr_epi32(23, 22, 21, 20, 19, 18, 17, 16));
  return {_mm256_xor_ps(a.low, _mm256_castsi256_ps(_mm256_and_si256(low, top))),
          _mm256_xor_ps(a.high, _mm256_castsi256_ps(_mm256_and_si256(high, top)))};
}
BITSWEEP_AVX2_INLINE uint32_t zero_above(Sixteen& a, const Sixteen& b, const Sixteen& limit, bool reset) {
  const __m256 low = _mm256_cmp_ps(b.low, limit.low, _CMP_GT_OQ);
  const __m256 high = _mm256_cmp_ps(b.high, limit.high, _CMP_GT_OQ);
  if (reset) a = {_mm256_andnot_ps(low, a.low), _mm256_andnot_ps(high, a.high)};
  return static_cast<uint32_t>(_mm256_movemask_ps(low)) | static_cast<uint32_t>(_mm256_movemask_ps(high)) << 8;
}

BITSWEEP_AVX2_INLINE Sixteen floats_of(__m256i low, __m256i high) {
  return {_mm256_cvtepi32_ps(low), _mm256_cvtepi32_ps(high)};
}
template <int kBits>
BITSWEEP_AVX2_INLINE Sixteen levels_at(const uint8_t* from) {
  if constexpr (kBits == 16) {
    const auto* words = reinterpret_cast<const __m128i*>(from);
    return floats_of(_mm256_cvtepi16_epi32(_mm_loadu_si128(words)), _mm256_cvtepi16_epi32(_mm_loadu_si128(words + 1)));
  } else {
    __m128i bytes;
    if constexpr (kBits == 8) {
      bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    } else {
      const __m128i pairs = _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
      const __m128i nibbles = _mm_and_si128(_mm_or_si128(pairs, _mm_slli_epi16(pairs, 4)), _mm_set1_epi8(15));
      bytes = _mm_sub_epi8(nibbles, _mm_set1_epi8(8));
    }
    return floats_of(_mm256_cvtepi8_epi32(bytes), _mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8)));
  }
}
template <int kBits>
BITSWEEP_AVX2_INLINE void put_levels(uint8_t* to, const Sixteen& a) {
  constexpr int kInOrder = 0b11011000;  // quarters of a and b as they were
  const __m256i packed = _mm256_packs_epi32(_mm256_cvttps_epi32(a.low), _mm256_cvttps_epi32(a.high));
  const __m256i words = _mm256_permute4x64_epi64(packed, kInOrder);
  auto* out = reinterpret_cast<__m128i*>(to);
  if constexpr (kBits == 16) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), words);
  } else {
    const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    if constexpr (kBits == 8) {
      _mm_storeu_si128(out, bytes);
    } else {
      const __m128i pairs = _mm_maddubs_epi16(_mm_add_epi8(bytes, _mm_set1_epi8(8)), _mm_set1_epi16(0x1001));
      _mm_storel_epi64(out, _mm_packus_epi16(pairs, pairs));
    }
  }
}

#include "kernels/flip_lanes.inc"

}  // namespace

void square_sums_avx2(const float* gradient, int64_t columns, int64_t first, int64_t last, float* of_rows,
                      float* of_columns) {
  square_sums_in_lanes(gradient, columns, first, last, of_rows, of_columns);
}

int64_t flip_rows_avx2(const FlipUpdate& update, int64_t first, int64_t last, Twister* votes, Twister* levels) {
  return flip_rows_in_lanes(update, first, last, votes, levels);
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
