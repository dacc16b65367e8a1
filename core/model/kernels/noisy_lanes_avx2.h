// What noisy_choices_avx2.cpp and noisy_rows_avx2.cpp share: scores, bounds, logarithms and powers, eight a register.
// The same bits as pruned_rows.h, as every step of a number is the same; what differs is how many numbers are at work
// at once: a logarithm is a long chain, and a row has too few keys to hide it. Multiply-adds stand only where the
// product is exact, so that they round as two steps would.
#pragma once

#include <algorithm>

#include "kernels/bit_attention_isas.h"
#include "kernels/pruned_rows.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX2

namespace bitsweep::kernels {
namespace {

#define BITSWEEP_AVX2_INLINE inline __attribute__((always_inline))

constexpr int64_t kEight = 8;  // numbers of a register
constexpr int64_t kRowsAtOnce = 8;
constexpr int64_t kByteWords = 15;         // words whose signs a byte can sum up, eight of each
constexpr float kExponentUnit = 0x1p-23f;  // exponents stay where they are in a float's bits

BITSWEEP_AVX2_INLINE __m256 numbers(float x) { return _mm256_set1_ps(x); }

// Of each byte of x the sum of its bits' signs, +1 for 0.
BITSWEEP_AVX2_INLINE __m256i signs_of_bytes(__m256i x) {
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i sums = _mm256_setr_epi8(4, 2, 2, 0, 2, 0, 0, -2, 2, 0, 0, -2, 0, -2, -2, -4, 4, 2, 2, 0, 2, 0, 0, -2, 2,
                                        0, 0, -2, 0, -2, -2, -4);
  return _mm256_add_epi8(_mm256_shuffle_epi8(sums, _mm256_and_si256(x, nibble)),
                         _mm256_shuffle_epi8(sums, _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble)));
}

BITSWEEP_AVX2_INLINE __m256i differing(const BitHead& head, int64_t t, int64_t j, int64_t w) {
  const __m256i query = _mm256_set1_epi32(static_cast<int>(head.queries->word(w)[t]));
  return _mm256_xor_si256(query, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(head.keys->word(w) + j)));
}

BITSWEEP_AVX2_INLINE __m256i sums_of_bytes(__m256i bytes) {
  return _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes), _mm256_set1_epi16(1));
}

// q·k of sixteen keys whose words differ from the query's by `low` and `high`. Bits beyond the head are equal: `beyond`
// of them. Heads of at most half a word are counted together.
template <bool kHalfWord>
BITSWEEP_AVX2_INLINE void dots_of_word(__m256i low, __m256i high, __m256i beyond, __m256& first, __m256& second) {
  __m256i a, b;
  if constexpr (kHalfWord) {
    const __m256i signs = signs_of_bytes(_mm256_blend_epi16(low, _mm256_slli_epi32(high, 16), 0b10101010));
    const __m256i sums = _mm256_maddubs_epi16(_mm256_set1_epi8(1), signs);
    a = _mm256_madd_epi16(sums, _mm256_set1_epi32(1));
    b = _mm256_srai_epi32(sums, 16);
  } else {
    a = sums_of_bytes(signs_of_bytes(low));
    b = sums_of_bytes(signs_of_bytes(high));
  }
  first = _mm256_cvtepi32_ps(_mm256_sub_epi32(a, beyond));
  second = _mm256_cvtepi32_ps(_mm256_sub_epi32(b, beyond));
}

// bias_row of query t, −∞ behind it, of heads of one word.
template <bool kHalfWord>
inline void score_word(const NoisyRows& rows, int64_t t, float* z) {
  const BitHead& head = *rows.head;
  const __m256i beyond = _mm256_set1_epi32(static_cast<int>((kHalfWord ? kWordBits / 2 : kWordBits) - head.size));
  const __m256i query = _mm256_set1_epi32(static_cast<int>(head.queries->word(0)[t]));
  const __m256 scale = numbers(rows.rule->scale);
  const float* biases = rows.biases + (head.context - 1 - t);
  const uint32_t* words = head.keys->word(0);
  for (int64_t j = 0, keys = grouped_keys(t); j < keys; j += kLanes) {
    const __m256i* of_keys = reinterpret_cast<const __m256i*>(words + j);
    __m256 low, high;
    dots_of_word<kHalfWord>(_mm256_xor_si256(query, _mm256_loadu_si256(of_keys)),
                            _mm256_xor_si256(query, _mm256_loadu_si256(of_keys + 1)), beyond, low, high);
    _mm256_storeu_ps(z + j, _mm256_add_ps(_mm256_mul_ps(low, scale), _mm256_loadu_ps(biases + j)));
    _mm256_storeu_ps(z + j + kEight, _mm256_add_ps(_mm256_mul_ps(high, scale), _mm256_loadu_ps(biases + j + kEight)));
  }
}

// The same of heads of several words.
inline void score_words(const NoisyRows& rows, int64_t t, float* z) {
  const BitHead& head = *rows.head;
  const int64_t words = head.queries->words();
  const __m256i beyond = _mm256_set1_epi32(static_cast<int>(words * kWordBits - head.size));
  const __m256 scale = numbers(rows.rule->scale);
  const float* biases = rows.biases + (head.context - 1 - t);
  for (int64_t j = 0, keys = grouped_keys(t); j < keys; j += kEight) {
    __m256i sums = _mm256_setzero_si256();
    for (int64_t w = 0; w < words;) {
      __m256i bytes = _mm256_setzero_si256();
      for (const int64_t end = std::min(w + kByteWords, words); w < end; ++w)
        bytes = _mm256_add_epi8(bytes, signs_of_bytes(differing(head, t, j, w)));
      sums = _mm256_add_epi32(sums, sums_of_bytes(bytes));
    }
    const __m256 dots = _mm256_cvtepi32_ps(_mm256_sub_epi32(sums, beyond));
    _mm256_storeu_ps(z + j, _mm256_add_ps(_mm256_mul_ps(dots, scale), _mm256_loadu_ps(biases + j)));
  }
}

inline void score_row_of(const NoisyRows& rows, int64_t t, float* z) {
  if (rows.head->size <= kWordBits / 2) return score_word<true>(rows, t, z);
  if (rows.head->size <= kWordBits) return score_word<false>(rows, t, z);
  score_words(rows, t, z);
}

// noise_bound of eight keys, and their z.
BITSWEEP_AVX2_INLINE __m256 bounds_of(const float* z, const uint32_t* bits) {
  constexpr int32_t kOne = 0x3f800000 + (24 << 23);
  const __m256i word = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bits));
  const __m256i left = _mm256_srli_epi32(_mm256_xor_si256(word, _mm256_set1_epi32(-1)), 8);
  const __m256 rest = _mm256_add_ps(_mm256_cvtepi32_ps(left), numbers(0.5f));
  const __m256i logarithm = _mm256_sub_epi32(_mm256_castps_si256(rest), _mm256_set1_epi32(kOne));
  const __m256 bound = _mm256_mul_ps(_mm256_cvtepi32_ps(logarithm), numbers(-0.693147181f * 0x1p-23f));
  return _mm256_add_ps(_mm256_loadu_ps(z), bound);
}

BITSWEEP_AVX2_INLINE float greatest(__m256 x) {
  __m128 most = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  most = _mm_max_ps(most, _mm_movehl_ps(most, most));
  return _mm_cvtss_f32(_mm_max_ss(most, _mm_movehdup_ps(most)));
}

// p = p · f + c
template <int kWide>
BITSWEEP_AVX2_INLINE void next(__m256 (&p)[kWide], const __m256 (&f)[kWide], float c) {
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g) p[g] = _mm256_add_ps(_mm256_mul_ps(p[g], f[g]), numbers(c));
}

// log_begin and minus_log_end, of e · 2²³.
template <int kWide>
BITSWEEP_AVX2_INLINE void minus_log(const __m256 (&f)[kWide], const __m256 (&e)[kWide], __m256 (&p)[kWide]) {
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
    const __m256 square = _mm256_mul_ps(f[g], f[g]);
    __m256 y = _mm256_mul_ps(_mm256_mul_ps(p[g], f[g]), square);
    y = _mm256_sub_ps(y, _mm256_mul_ps(e[g], numbers(2.12194440e-4f * kExponentUnit)));
    y = _mm256_fnmadd_ps(square, numbers(0.5f), y);
    p[g] = _mm256_fmsub_ps(e[g], numbers(-0.693359375f * kExponentUnit), _mm256_add_ps(f[g], y));
  }
}

// split, with e · 2²³; `offset`: x's bits less those of √½, negative where x is less.
BITSWEEP_AVX2_INLINE void split_eight(__m256 x, __m256& f, __m256& e, __m256i& offset) {
  const __m256i bits = _mm256_castps_si256(x);
  offset = _mm256_sub_epi32(bits, _mm256_set1_epi32(0x3f3504f3));
  const __m256i exponent = _mm256_and_si256(offset, _mm256_set1_epi32(static_cast<int>(0xff800000u)));
  e = _mm256_cvtepi32_ps(exponent);
  f = _mm256_sub_ps(_mm256_castsi256_ps(_mm256_sub_epi32(bits, exponent)), numbers(1.0f));
}

// gumbel_of_bits. Where u >= √½, its exponent is 0 already.
template <int kWide>
BITSWEEP_AVX2_INLINE void gumbel(const __m256i (&bits)[kWide], __m256 (&out)[kWide]) {
  __m256 f[kWide], e[kWide];
  __m256i offset;
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g) {
    const __m256 k = _mm256_cvtepi32_ps(_mm256_srli_epi32(bits[g], 8)), unit = numbers(0x1p-24f);
    const __m256 minus_rest = _mm256_add_ps(_mm256_fmsub_ps(k, unit, numbers(1.0f)), numbers(0x1p-25f));
    split_eight(_mm256_fmadd_ps(k, unit, numbers(0x1p-25f)), f[g], e[g], offset);
    f[g] = _mm256_blendv_ps(minus_rest, f[g], _mm256_castsi256_ps(offset));
  }
  minus_log(f, e, out);
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g) split_eight(out[g], f[g], e[g], offset);
  minus_log(f, e, out);
}

// exp_nonpositive in place.
template <int kWide>
BITSWEEP_AVX2_INLINE void exponential(__m256 (&x)[kWide]) {
  __m256 r[kWide], p[kWide];
  __m256i n[kWide];
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g) {
    const __m256 clamped = _mm256_max_ps(x[g], numbers(-86.0f));
    n[g] = _mm256_cvttps_epi32(_mm256_sub_ps(_mm256_mul_ps(clamped, numbers(1.44269504088896341f)), numbers(0.5f)));
    const __m256 f = _mm256_cvtepi32_ps(n[g]);
    r[g] =
        _mm256_add_ps(_mm256_fnmadd_ps(f, numbers(0.693359375f), clamped), _mm256_mul_ps(f, numbers(2.12194440e-4f)));
    p[g] = numbers(1.9875691500e-4f);
  }
  next(p, r, 1.3981999507e-3f);
  next(p, r, 8.3334519073e-3f);
  next(p, r, 4.1665795894e-2f);
  next(p, r, 1.6666665459e-1f);
  next(p, r, 5.0000001201e-1f);
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g) {
    const __m256 y = _mm256_add_ps(_mm256_add_ps(_mm256_mul_ps(p[g], _mm256_mul_ps(r[g], r[g])), r[g]), numbers(1.0f));
    const __m256i scaled = _mm256_add_epi32(_mm256_castps_si256(y), _mm256_slli_epi32(n[g], 23));
    x[g] = _mm256_and_ps(_mm256_castsi256_ps(scaled), _mm256_cmp_ps(x[g], numbers(-86.0f), _CMP_GE_OQ));
  }
}

inline void bits_of_rows(const NoisyRows& rows, int64_t first, int64_t queries) {
  noise_bits_avx2(rows.rule->key, rows.rule->first_row + static_cast<uint64_t>(first), queries,
                  noise_blocks(first + queries), rows.bits, rows.step);
}

}  // namespace
}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
