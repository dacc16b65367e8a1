// pruned_rows.h's probabilities with AVX2, eight queries at a time.
#include <algorithm>

#include "kernels/noisy_lanes_avx2.h"

#ifdef BITSWEEP_INTRINSICS

BITSWEEP_BEGIN_AVX2

namespace bitsweep::kernels {
namespace {

constexpr int64_t kGroups = 4;  // at once

// Probabilities of kGroups groups, but for their sum. All are read before one is written.
void weigh(const NoisyRows& rows, const KeyGroup* groups) {
  constexpr int kWide = 8;
  __m256i bits[kWide];
  __m256 x[kWide];
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g)
    bits[g] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(groups[g / 2].bits + g % 2 * kEight));
  gumbel(bits, x);
  const __m256 inverse_tau = numbers(rows.rule->inverse_tau);
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g) {
    const __m256 sum = _mm256_add_ps(_mm256_loadu_ps(groups[g / 2].z + g % 2 * kEight), x[g]);
    x[g] = _mm256_sub_ps(_mm256_mul_ps(sum, inverse_tau), numbers(groups[g / 2].top));
  }
  exponential(x);
#pragma GCC unroll 8
  for (int g = 0; g < kWide; ++g) _mm256_storeu_ps(groups[g / 2].z + g % 2 * kEight, x[g]);
}

// Appends the groups of a row that matter, and makes the scores of others 0; returns how many there are then.
int64_t append_groups(float* z, const uint32_t* bits, int64_t keys, float limit, float top, int64_t count,
                      KeyGroup* groups) {
  const __m256 least = numbers(limit);
  for (int64_t j = 0; j < keys; j += kLanes) {
    const __m256 above = _mm256_or_ps(_mm256_cmp_ps(bounds_of(z + j, bits + j), least, _CMP_GT_OQ),
                                      _mm256_cmp_ps(bounds_of(z + j + kEight, bits + j + kEight), least, _CMP_GT_OQ));
    const int matters = _mm256_movemask_ps(above) != 0;
    // Without a branch, which would often go the other way than the CPU expects.
    const __m256 keep = _mm256_castsi256_ps(_mm256_set1_epi32(-matters));
    _mm256_storeu_ps(z + j, _mm256_and_ps(_mm256_loadu_ps(z + j), keep));
    _mm256_storeu_ps(z + j + kEight, _mm256_and_ps(_mm256_loadu_ps(z + j + kEight), keep));
    groups[count] = {.z = z + j, .bits = bits + j, .top = top};
    count += matters;
  }
  return count;
}

// Divides a row by its sum, that of lane_sum.
void normalize(float* z, int64_t keys) {
  __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
  for (int64_t j = 0; j < keys; j += kLanes) {
    low = _mm256_add_ps(low, _mm256_loadu_ps(z + j));
    high = _mm256_add_ps(high, _mm256_loadu_ps(z + j + kEight));
  }
  low = _mm256_add_ps(low, high);
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(low), _mm256_extractf128_ps(low, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  sum = _mm_add_ss(sum, _mm_movehdup_ps(sum));
  const __m256 inverse = numbers(1.0f / _mm_cvtss_f32(sum));
  for (int64_t j = 0; j < keys; j += kEight) _mm256_storeu_ps(z + j, _mm256_mul_ps(_mm256_loadu_ps(z + j), inverse));
}

}  // namespace

void probabilities_noisy_avx2(const NoisyRows& rows, const float* top, int64_t first, int64_t queries, int64_t room,
                              float* p) {
  const ScoreRule& rule = *rows.rule;
  for (int64_t begin = 0; begin < queries; begin += kRowsAtOnce) {
    const int64_t end = std::min(begin + kRowsAtOnce, queries);
    bits_of_rows(rows, first + begin, end - begin);
    int64_t count = 0;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t t = first + i, keys = grouped_keys(t);
      float* z = p + i * room;
      const uint32_t* bits = rows.bits + (i - begin) * rows.step;
      const float limit = (top[t] + kNeglected) / rule.inverse_tau;
      score_row_of(rows, t, z);
      if (least_score(rows, t) > limit) {  // no bound is less than its score
        for (int64_t j = 0; j < keys; j += kLanes) rows.groups[count++] = {.z = z + j, .bits = bits + j, .top = top[t]};
      } else {
        count = append_groups(z, bits, keys, limit, top[t], count, rows.groups);
      }
    }
    for (const int64_t whole = rounded_up(count, kGroups); count < whole; ++count)
      rows.groups[count] = rows.groups[count - 1];  // made twice
    for (int64_t g = 0; g < count; g += kGroups) weigh(rows, rows.groups + g);
    for (int64_t i = begin; i < end; ++i) normalize(p + i * room, grouped_keys(first + i));
  }
}

}  // namespace bitsweep::kernels

BITSWEEP_END_ISA

#endif
