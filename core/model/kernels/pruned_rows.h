// Rows of noisy scores without the noise of keys that cannot matter. Of each key's random bits a bound of its noise is
// cheap, the noise itself is two logarithms; most keys of a row lie so far below its best that the bound decides. Keys
// are looked at in groups of kLanes at fixed places, so that what is left out does not depend on the CPU. Only this
// room's .cpp files include it.
#pragma once

#include <bit>

#include "kernels/score_rows.h"

namespace bitsweep::kernels {

// Below the best by more than this, no rounding makes a key its equal.
inline constexpr float kSafeMargin = 1e-3f;
// A group of keys whose probabilities are all below e^−20 of the largest counts as 0: of 4,096 keys, 1e-5 at most.
inline constexpr float kNeglected = -20.0f;

// At least −ln(−ln u) of random bits: −ln u >= 1 − u, and log2 lies above the straight lines between powers of 2, which
// a float's bits are.
BITSWEEP_INLINE float noise_bound(uint32_t bits) {
  constexpr float kLn2 = 0.693147181f;
  constexpr int32_t kOne = 0x3f800000 + (24 << 23);                                // bits of 2²⁴
  const float rest = static_cast<float>(static_cast<int32_t>(~bits >> 8)) + 0.5f;  // (1 − u) · 2²⁴
  return static_cast<float>(std::bit_cast<int32_t>(rest) - kOne) * (-kLn2 * 0x1p-23f);
}

// Whether some key of the group has a bound above `limit`.
BITSWEEP_INLINE bool group_matters(const float* bounds, float limit) {
  int32_t above = 0;
#pragma GCC unroll 1  // unrolled, it would not be vectorized
  for (int64_t l = 0; l < kLanes; ++l) above += bounds[l] > limit;
  return above > 0;
}

// Query t's scores without noise and temperature, over its padded keys in place of the raw ones; their noise's random
// bits; and bounds of the scores with noise, into `bounds`. Returns how many keys that is.
BITSWEEP_INLINE int64_t bound_row(float* z, int64_t t, const ScoreRule& rule, const RowNoise& noise, float* bounds) {
  const int64_t keys = t / kLanes * kLanes + kLanes;
  bias_row(z, t, keys, rule);
  for (int64_t j = t + 1; j < keys; ++j) z[j] = -kInfinity;
  const uint64_t row = rule.first_row + static_cast<uint64_t>(t);
  noise.bits(rule.key, row, 1, noise_blocks(keys), noise.row_bits, 0);
  for (int64_t j = 0; j < keys; ++j) bounds[j] = z[j] + noise_bound(noise.row_bits[j]);
  return keys;
}

// The best of a row's keys so far.
struct BestKey {
  float top = -kInfinity;    // its z
  float limit = -kInfinity;  // what a bound must exceed
  int32_t key = 0;
};

// Looks at a group's keys; of equals the most recent is taken, in whatever order groups come.
BITSWEEP_INLINE void look_at_group(const float* z, int64_t group, const ScoreRule& rule, const RowNoise& noise,
                                   BestKey& best) {
  float of_group[kLanes];
  gumbel_of_bits(noise.row_bits + group, kLanes, of_group);
  for (int64_t l = 0; l < kLanes; ++l) {
    const float sum = z[group + l] + of_group[l], value = sum * rule.inverse_tau;
    const auto key = static_cast<int32_t>(group + l);
    if (!(value > best.top || (value == best.top && key > best.key))) continue;
    best = {.top = value, .limit = sum - kSafeMargin, .key = key};
  }
}

// The best key of query t, the most recent of equals, from its raw scores, which are used up; its z in `top`. First
// comes the group with the largest bound: after it, few others can matter.
BITSWEEP_INLINE int32_t pruned_choice(float* z, int64_t t, const ScoreRule& rule, const RowNoise& noise, float& top) {
  float* bounds = noise.row;
  const int64_t keys = bound_row(z, t, rule, noise, bounds);
  const int64_t first = last_equal(bounds, keys, lane_max(bounds, keys)) / kLanes * kLanes;
  BestKey best;
  look_at_group(z, first, rule, noise, best);
  for (int64_t group = 0; group < keys; group += kLanes)
    if (group != first && group_matters(bounds + group, best.limit)) look_at_group(z, group, rule, noise, best);
  top = best.top;
  return best.key;
}

// Probabilities of query t over its padded keys, in place of its raw scores, from its largest z.
BITSWEEP_INLINE void pruned_softmax_row(float* z, int64_t t, const ScoreRule& rule, const RowNoise& noise, float top) {
  float* bounds = noise.row;
  const int64_t keys = bound_row(z, t, rule, noise, bounds);
  const float limit = (top + kNeglected) / rule.inverse_tau;
  for (int64_t begin = 0; begin < keys;) {
    if (!group_matters(bounds + begin, limit)) {
      for (int64_t l = 0; l < kLanes; ++l) z[begin + l] = 0.0f;
      begin += kLanes;
      continue;
    }
    // All that follow and matter too, at most a block.
    int64_t end = begin + kLanes;
    while (end < keys && end - begin < kNoiseBlock && group_matters(bounds + end, limit)) end += kLanes;
    float of_keys[kNoiseBlock];
    gumbel_of_bits(noise.row_bits + begin, end - begin, of_keys);
    for (int64_t j = begin; j < end; ++j) z[j] = exp_nonpositive((z[j] + of_keys[j - begin]) * rule.inverse_tau - top);
    begin = end;
  }
  const float inverse = 1.0f / lane_sum<kLanes>(keys, [&](int64_t j) { return z[j]; });
  for (int64_t j = 0; j < keys; ++j) z[j] *= inverse;
}

}  // namespace bitsweep::kernels
