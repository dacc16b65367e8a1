// What noisy_choices_avx512.cpp and noisy_rows_avx512.cpp share: bounds, logarithms and powers, sixteen a register. The
// same bits as elsewhere, as every step of a number is the same. Multiply-adds stand only where the product is exact,
// so that they round as two steps would.
#pragma once

#include "kernels/bit_attention_isas.h"
#include "kernels/pruned_rows.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX512

namespace bitsweep::kernels {
namespace {

#define BITSWEEP_AVX512_INLINE inline __attribute__((always_inline))

constexpr float kExponentUnit = 0x1p-23f;  // exponents stay where they are in a float's bits

BITSWEEP_AVX512_INLINE __m512 numbers(float x) { return _mm512_set1_ps(x); }
BITSWEEP_AVX512_INLINE __m512i integers(int32_t x) { return _mm512_set1_epi32(x); }

// Those of [0, count) of a register.
BITSWEEP_AVX512_INLINE __mmask16 first_lanes(int64_t count) {
  return static_cast<__mmask16>(count >= kLanes ? 0xffff : (1u << count) - 1);
}

// noise_bound of sixteen keys, and their z.
BITSWEEP_AVX512_INLINE __m512 bounds_of(__m512 z, const uint32_t* bits) {
  constexpr int32_t kOne = 0x3f800000 + (24 << 23);
  // By subtraction: of a complement GCC 12 makes an instruction that waits for what its register held before.
  const __m512i left = _mm512_sub_epi32(integers(0xffffff), _mm512_srli_epi32(_mm512_loadu_si512(bits), 8));
  const __m512 rest = _mm512_add_ps(_mm512_cvtepi32_ps(left), numbers(0.5f));
  const __m512i logarithm = _mm512_sub_epi32(_mm512_castps_si512(rest), integers(kOne));
  return _mm512_add_ps(z, _mm512_mul_ps(_mm512_cvtepi32_ps(logarithm), numbers(-0.693147181f * 0x1p-23f)));
}

BITSWEEP_AVX512_INLINE __m256 upper_half(__m512 x) {
  return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1));
}
BITSWEEP_AVX512_INLINE float greatest(__m512 x) {
  const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(x), upper_half(x));
  __m128 most = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  most = _mm_max_ps(most, _mm_movehl_ps(most, most));
  return _mm_cvtss_f32(_mm_max_ss(most, _mm_movehdup_ps(most)));
}
BITSWEEP_AVX512_INLINE float least(__m512 x) {
  const __m256 eight = _mm256_min_ps(_mm512_castps512_ps256(x), upper_half(x));
  __m128 most = _mm_min_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  most = _mm_min_ps(most, _mm_movehl_ps(most, most));
  return _mm_cvtss_f32(_mm_min_ss(most, _mm_movehdup_ps(most)));
}

// p = p · f + c
template <int kWide>
BITSWEEP_AVX512_INLINE void next(__m512 (&p)[kWide], const __m512 (&f)[kWide], float c) {
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g) p[g] = _mm512_add_ps(_mm512_mul_ps(p[g], f[g]), numbers(c));
}

// log_begin and minus_log_end, of e · 2²³.
template <int kWide>
BITSWEEP_AVX512_INLINE void minus_log(const __m512 (&f)[kWide], const __m512 (&e)[kWide], __m512 (&p)[kWide]) {
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g) p[g] = numbers(7.0376836292e-2f);
  next(p, f, -1.1514610310e-1f);
  next(p, f, 1.1676998740e-1f);
  next(p, f, -1.2420140846e-1f);
  next(p, f, 1.4249322787e-1f);
  next(p, f, -1.6668057665e-1f);
  next(p, f, 2.0000714765e-1f);
  next(p, f, -2.4999993993e-1f);
  next(p, f, 3.3333331174e-1f);
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g) {
    const __m512 square = _mm512_mul_ps(f[g], f[g]);
    __m512 y = _mm512_mul_ps(_mm512_mul_ps(p[g], f[g]), square);
    y = _mm512_sub_ps(y, _mm512_mul_ps(e[g], numbers(2.12194440e-4f * kExponentUnit)));
    y = _mm512_fnmadd_ps(square, numbers(0.5f), y);
    p[g] = _mm512_fmsub_ps(e[g], numbers(-0.693359375f * kExponentUnit), _mm512_add_ps(f[g], y));
  }
}

// split, with e · 2²³; `offset`: x's bits less those of √½, negative where x is less.
BITSWEEP_AVX512_INLINE void split_lanes(__m512 x, __m512& f, __m512& e, __m512i& offset) {
  const __m512i bits = _mm512_castps_si512(x);
  offset = _mm512_sub_epi32(bits, integers(0x3f3504f3));
  const __m512i exponent = _mm512_and_si512(offset, integers(static_cast<int>(0xff800000u)));
  e = _mm512_cvtepi32_ps(exponent);
  f = _mm512_sub_ps(_mm512_castsi512_ps(_mm512_sub_epi32(bits, exponent)), numbers(1.0f));
}

// gumbel_of_bits. Where u >= √½, its exponent is 0 already.
template <int kWide>
BITSWEEP_AVX512_INLINE void gumbel(const __m512i (&bits)[kWide], __m512 (&out)[kWide]) {
  __m512 f[kWide], e[kWide];
  __m512i offset;
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g) {
    const __m512 k = _mm512_cvtepi32_ps(_mm512_srli_epi32(bits[g], 8)), unit = numbers(0x1p-24f);
    const __m512 minus_rest = _mm512_add_ps(_mm512_fmsub_ps(k, unit, numbers(1.0f)), numbers(0x1p-25f));
    split_lanes(_mm512_fmadd_ps(k, unit, numbers(0x1p-25f)), f[g], e[g], offset);
    f[g] = _mm512_mask_mov_ps(minus_rest, _mm512_movepi32_mask(offset), f[g]);
  }
  minus_log(f, e, out);
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g) split_lanes(out[g], f[g], e[g], offset);
  minus_log(f, e, out);
}

// exp_nonpositive in place.
template <int kWide>
BITSWEEP_AVX512_INLINE void exponential(__m512 (&x)[kWide]) {
  __m512 r[kWide], p[kWide];
  __m512i n[kWide];
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g) {
    const __m512 clamped = _mm512_max_ps(numbers(-86.0f), x[g]);
    n[g] = _mm512_cvttps_epi32(_mm512_sub_ps(_mm512_mul_ps(clamped, numbers(1.44269504088896341f)), numbers(0.5f)));
    const __m512 f = _mm512_cvtepi32_ps(n[g]);
    r[g] =
        _mm512_add_ps(_mm512_fnmadd_ps(f, numbers(0.693359375f), clamped), _mm512_mul_ps(f, numbers(2.12194440e-4f)));
    p[g] = numbers(1.9875691500e-4f);
  }
  next(p, r, 1.3981999507e-3f);
  next(p, r, 8.3334519073e-3f);
  next(p, r, 4.1665795894e-2f);
  next(p, r, 1.6666665459e-1f);
  next(p, r, 5.0000001201e-1f);
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g) {
    const __m512 y = _mm512_add_ps(_mm512_add_ps(_mm512_mul_ps(p[g], _mm512_mul_ps(r[g], r[g])), r[g]), numbers(1.0f));
    const __m512i scaled = _mm512_add_epi32(_mm512_castps_si512(y), _mm512_slli_epi32(n[g], 23));
    const __mmask16 counts = _mm512_cmp_ps_mask(x[g], numbers(-86.0f), _CMP_NLT_UQ);
    x[g] = _mm512_maskz_mov_ps(counts, _mm512_castsi512_ps(scaled));
  }
}

inline void bits_of_rows(const NoisyRows& rows, int64_t first, int64_t queries) {
  noise_bits_avx512(rows.rule->key, rows.rule->first_row + static_cast<uint64_t>(first), queries,
                    noise_blocks(first + queries), rows.bits, rows.step);
}

}  // namespace
}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
