// noisy_rows_avx2.cpp's probabilities with sixteen keys a register and sixteen queries at a time; and scores.
#include <algorithm>

#include "kernels/noisy_lanes_avx512.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX512

namespace bitsweep::kernels {
namespace {

// Those of kMostGroups groups, but for their sum. All are read before one is written.
void weigh(const NoisyRows& rows, const KeyGroup* groups) {
  constexpr int kWide = kMostGroups;
  __m512i bits[kWide];
  __m512 x[kWide];
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g) bits[g] = _mm512_loadu_si512(groups[g].bits);
  gumbel(bits, x);
  const __m512 inverse_tau = numbers(rows.rule->inverse_tau);
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g) {
    const __m512 sum = _mm512_add_ps(_mm512_loadu_ps(groups[g].z), x[g]);
    x[g] = _mm512_sub_ps(_mm512_mul_ps(sum, inverse_tau), numbers(groups[g].top));
  }
  exponential(x);
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g) _mm512_storeu_ps(groups[g].z, x[g]);
}

// Appends the groups of a row that matter, and makes the scores of others 0; returns how many there are then.
BITSWEEP_AVX512_INLINE int64_t append_groups(float* z, const uint32_t* bits, int64_t keys, float limit, float top,
                                             int64_t count, KeyGroup* groups) {
  const __m512 least_bound = numbers(limit);
  for (int64_t j = 0; j < keys; j += kLanes) {
    const __m512 scores = _mm512_loadu_ps(z + j);
    const __mmask16 above = _mm512_cmp_ps_mask(bounds_of(scores, bits + j), least_bound, _CMP_GT_OQ);
    const int64_t matters = above != 0;
    // Without a branch, which would often go the other way than the CPU expects.
    _mm512_storeu_ps(z + j, _mm512_maskz_mov_ps(static_cast<__mmask16>(-matters), scores));
    groups[count] = {.z = z + j, .bits = bits + j, .top = top};
    count += matters;
  }
  return count;
}

// Divides a row by its sum, that of lane_sum.
BITSWEEP_AVX512_INLINE void normalize(float* z, int64_t keys) {
  __m512 lanes = _mm512_setzero_ps();
  for (int64_t j = 0; j < keys; j += kLanes) lanes = _mm512_add_ps(lanes, _mm512_loadu_ps(z + j));
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(lanes), upper_half(lanes));
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  sum = _mm_add_ss(sum, _mm_movehdup_ps(sum));
  const __m512 inverse = numbers(1.0f / _mm_cvtss_f32(sum));
  for (int64_t j = 0; j < keys; j += kLanes) _mm512_storeu_ps(z + j, _mm512_mul_ps(_mm512_loadu_ps(z + j), inverse));
}

void probabilities_noisy(const NoisyRows& rows, const float* top, int64_t first, int64_t queries, int64_t room,
                         float* p) {
  const ScoreRule& rule = *rows.rule;
  for (int64_t begin = 0; begin < queries; begin += kNoisyRows) {
    const int64_t end = std::min(begin + kNoisyRows, queries);
    bits_of_rows(rows, first + begin, end - begin);
    int64_t count = 0;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t t = first + i, keys = grouped_keys(t);
      float* z = p + i * room;
      const uint32_t* bits = rows.bits + (i - begin) * rows.step;
      const float limit = (top[t] + kNeglected) / rule.inverse_tau;
      rows.score(rows, t, z);
      if (least_score(rows, t) > limit) {  // no bound is less than its score
        for (int64_t j = 0; j < keys; j += kLanes) rows.groups[count++] = {.z = z + j, .bits = bits + j, .top = top[t]};
      } else {
        count = append_groups(z, bits, keys, limit, top[t], count, rows.groups);
      }
    }
    for (const int64_t whole = rounded_up(count, kMostGroups); count < whole; ++count)
      rows.groups[count] = rows.groups[count - 1];  // made twice
    for (int64_t g = 0; g < count; g += kMostGroups) weigh(rows, rows.groups + g);
    for (int64_t i = begin; i < end; ++i) normalize(p + i * room, grouped_keys(first + i));
  }
}

// bias_row of query t, −∞ behind it.
void score_bytes(const NoisyRows& rows, int64_t t, float* z) {
  const BitHead& head = *rows.head;
  const int64_t keys = grouped_keys(t);
  bit_scores_avx2(*head.queries, t, *head.keys, keys, head.size, z);
  const __m512 scale = numbers(rows.rule->scale);
  const float* biases = rows.biases + (head.context - 1 - t);
  for (int64_t j = 0; j < keys; j += kLanes)
    _mm512_storeu_ps(z + j, _mm512_add_ps(_mm512_mul_ps(_mm512_loadu_ps(z + j), scale), _mm512_loadu_ps(biases + j)));
}

}  // namespace

const NoisyKernels kNoisyAvx512{.score = score_bytes,
                                .choose = choose_noisy_avx512,
                                .choose_top = choose_top_noisy_avx512,
                                .probabilities = probabilities_noisy};

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA
BITSWEEP_BEGIN_AVX512_VPOPCNT

namespace bitsweep::kernels {
namespace {

void score_words(const NoisyRows& rows, int64_t t, float* z) {
  const BitHead& head = *rows.head;
  const int64_t words = head.queries->words();
  const __m512i depth = _mm512_set1_epi32(static_cast<int>(head.size));
  const __m512 scale = _mm512_set1_ps(rows.rule->scale);
  const float* biases = rows.biases + (head.context - 1 - t);
  for (int64_t j = 0, keys = grouped_keys(t); j < keys; j += kLanes) {
    __m512i differ = _mm512_setzero_si512();
    for (int64_t w = 0; w < words; ++w) {
      const __m512i query = _mm512_set1_epi32(static_cast<int>(head.queries->word(w)[t]));
      const __m512i other = _mm512_xor_si512(query, _mm512_loadu_si512(head.keys->word(w) + j));
      differ = _mm512_add_epi32(differ, _mm512_popcnt_epi32(other));
    }
    const __m512 dots = _mm512_cvtepi32_ps(_mm512_sub_epi32(depth, _mm512_add_epi32(differ, differ)));
    _mm512_storeu_ps(z + j, _mm512_add_ps(_mm512_mul_ps(dots, scale), _mm512_loadu_ps(biases + j)));
  }
}

}  // namespace

const NoisyKernels kNoisyVpopcnt{.score = score_words,
                                 .choose = choose_noisy_avx512,
                                 .choose_top = choose_top_noisy_avx512,
                                 .probabilities = probabilities_noisy};

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
