// What is done to one row of scores; a file that includes it compiles it for each CPU (base/simd.h). Only this room's
// .cpp files include it.
#pragma once

#include <cstring>

#include "kernels/cpu_kernels.h"
#include "kernels/lanes.h"
#include "kernels/noise_parts.h"

namespace bitsweep::kernels {

// How a row's noise is made, and room for it and its random bits: the row's length rounded up to kNoiseBlock.
struct RowNoise {
  NoiseBits bits = nullptr;
  float* row = nullptr;
  uint32_t* row_bits = nullptr;
};
// Kept by the thread, as it is asked for once a head.
RowNoise row_noise(int64_t context);

BITSWEEP_INLINE int32_t last_equal(const float* z, int64_t count, float value) {
  int64_t j = count - 1;
  while (j > 0 && z[j] != value) --j;
  return static_cast<int32_t>(j);
}

// Keys of query t, rounded up to whole lanes where the row has room: what lies behind the query counts as −∞, which
// changes no maximum and no sum.
BITSWEEP_INLINE int64_t padded_keys(int64_t t, int64_t context) {
  const int64_t padded = t / kLanes * kLanes + kLanes;
  return padded < context ? padded : context;
}

// z without noise and temperature, in place of the raw scores of query t and over its padded keys.
BITSWEEP_INLINE void bias_row(float* z, int64_t t, int64_t keys, const ScoreRule& rule) {
  const int32_t query = static_cast<int32_t>(t);
  for (int32_t j = 0; j < static_cast<int32_t>(keys); ++j) {
    z[j] = z[j] * rule.scale + -rule.slope * static_cast<float>(query - j);
  }
}

// z of query t, in place over its padded keys of raw scores; returns its maximum.
BITSWEEP_INLINE float score_row(float* z, int64_t t, int64_t context, const ScoreRule& rule, const RowNoise& noise) {
  const int64_t keys = padded_keys(t, context);
  bias_row(z, t, keys, rule);
  if (rule.noisy) {
    const uint64_t row = rule.first_row + static_cast<uint64_t>(t);
    noise.bits(rule.key, row, 1, noise_blocks(keys), noise.row_bits, 0);
    for (int64_t j = 0; j < keys; j += kNoiseBlock)
      gumbel_of_bits(noise.row_bits + j, keys - j < kNoiseBlock ? keys - j : kNoiseBlock, noise.row + j);
    for (int64_t j = 0; j < keys; ++j) z[j] = (z[j] + noise.row[j]) * rule.inverse_tau;
  }
  for (int64_t j = t + 1; j < keys; ++j) z[j] = -kInfinity;
  return lane_max(z, keys);
}

// Probabilities of query t, in place of its raw scores and over the padded keys; `choice` (or null): its best key.
BITSWEEP_INLINE void softmax_row(float* z, int64_t t, int64_t context, const ScoreRule& rule, const RowNoise& noise,
                                 int32_t* choice) {
  const int64_t keys = padded_keys(t, context);
  const float top = score_row(z, t, context, rule, noise);
  if (choice != nullptr) *choice = last_equal(z, t + 1, top);
  for (int64_t j = 0; j < keys; ++j) z[j] = exp_nonpositive(z[j] - top);
  const float inverse = 1.0f / lane_sum<kLanes>(keys, [&](int64_t j) { return z[j]; });
  for (int64_t j = 0; j < keys; ++j) z[j] *= inverse;
}

// p ⊙ (dA − Σ p dA) · factor over the first `keys`, in place of dA.
BITSWEEP_INLINE void softmax_backward_row(const float* p, float* g, int64_t keys, float factor) {
  const float dot = lane_sum<kLanes>(keys, [&](int64_t j) { return p[j] * g[j]; });
  for (int64_t j = 0; j < keys; ++j) g[j] = p[j] * (g[j] - dot) * factor;
}

// The `keys` best of z[0, count), best first, the most recent of equals first: an insertion into a short list, reached
// only by lanes that hold a candidate. Places beyond `count` keep −∞ and the last key.
BITSWEEP_INLINE void best_of_row(const float* z, int64_t count, int64_t keys, float* best, int32_t* index) {
  for (int64_t r = 0; r < keys; ++r) {
    best[r] = -kInfinity;
    index[r] = static_cast<int32_t>(count - 1);
  }
  const auto insert = [&](int64_t j) {
    if (!(z[j] >= best[keys - 1])) return;
    int64_t r = keys - 1;
    for (; r > 0 && z[j] >= best[r - 1]; --r) {
      best[r] = best[r - 1];
      index[r] = index[r - 1];
    }
    best[r] = z[j];
    index[r] = static_cast<int32_t>(j);
  };
  int64_t j = 0;
  for (; j + kLanes <= count; j += kLanes) {
    const float least = best[keys - 1];
    int32_t candidates = 0;
#pragma GCC unroll 1  // unrolled, it would not be vectorized
    for (int64_t l = 0; l < kLanes; ++l) candidates += z[j + l] >= least;
    for (int64_t l = 0; candidates > 0 && l < kLanes; ++l) insert(j + l);
  }
  for (; j < count; ++j) insert(j);
}

// The best `keys` keys of query t and their softmax; its raw scores are used up.
BITSWEEP_INLINE void top_keys_row(float* z, int64_t t, int64_t context, const ScoreRule& rule, const RowNoise& noise,
                                  int64_t keys, int32_t* index, float* p) {
  score_row(z, t, context, rule, noise);
  float best[kMaxTopKeys];
  best_of_row(z, t + 1, keys, best, index);
  const int64_t alive = t + 1 < keys ? t + 1 : keys;
  float sum = 0;
  for (int64_t r = 0; r < keys; ++r) p[r] = r < alive ? exp_nonpositive(best[r] - best[0]) : 0.0f;
  for (int64_t r = 0; r < alive; ++r) sum += p[r];
  for (int64_t r = 0; r < alive; ++r) p[r] /= sum;
}

}  // namespace bitsweep::kernels
