#include "nn/cpu_kernels.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

// Built with -ffp-contract=off -fno-math-errno -fno-trapping-math (CMakeLists.txt). Sanitizers cannot run the resolvers
// that target_clones makes.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define BITSWEEP_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define BITSWEEP_CLONES
#endif
#define BITSWEEP_INLINE inline __attribute__((always_inline))

namespace bitsweep {
namespace {

constexpr int64_t kLanes = 16;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// e^x for x <= 0; 0 below −86, NaN for NaN.
BITSWEEP_INLINE float exp_nonpositive(float x) {
  const float clamped = x > -86.0f ? x : -86.0f;
  const int32_t n = static_cast<int32_t>(clamped * 1.44269504088896341f - 0.5f);  // nearest, as x <= 0
  const float f = static_cast<float>(n);
  const float r = (clamped - f * 0.693359375f) + f * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const float y = p * (r * r) + r + 1.0f;
  const float scaled = std::bit_cast<float>(std::bit_cast<int32_t>(y) + n * (1 << 23));
  return x > -86.0f ? scaled : (x == x ? 0.0f : x);
}

// ln(m · 2^e) where m = 1 + f lies in [√½, √2).
BITSWEEP_INLINE float log_parts(float f, float e) {
  const float z = f * f;
  float p = 7.0376836292e-2f;
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  float y = p * f * z;
  y = y - e * 2.12194440e-4f;
  y = y - 0.5f * z;
  return (f + y) + e * 0.693359375f;
}

// x > 0 and normal -> f and e of log_parts.
BITSWEEP_INLINE void split(float x, float& f, float& e) {
  const int32_t bits = std::bit_cast<int32_t>(x);
  // The exponent that brings the mantissa into [√½, √2): 0x3f3504f3 is √½.
  const int32_t exponent = (bits - 0x3f3504f3) >> 23;
  e = static_cast<float>(exponent);
  f = std::bit_cast<float>(bits - exponent * (1 << 23)) - 1.0f;
}

// 32 random bits -> −ln(−ln u), u = (k + ½)/2²⁴. Near u = 1 the distance to 1 is used, which is exact.
BITSWEEP_INLINE float gumbel_of(uint32_t bits) {
  const int32_t k = static_cast<int32_t>(bits >> 8);
  const float u = (static_cast<float>(k) + 0.5f) * 0x1p-24f;
  const float rest = (static_cast<float>((1 << 24) - 1 - k) + 0.5f) * 0x1p-24f;
  const bool near_one = u >= 0.70710678f;
  float f, e;
  split(u, f, e);
  const float exponential = -log_parts(near_one ? -rest : f, near_one ? 0.0f : e);
  split(exponential, f, e);
  return -log_parts(f, e);
}

// Columns [64·block, 64·block + 64): word w of the counter 16·block + lane serves column 64·block + 16·w + lane.
BITSWEEP_INLINE void gumbel_block(uint64_t key, uint64_t row, uint32_t block, float* out) {
  uint32_t c0[kLanes], c1[kLanes], c2[kLanes], c3[kLanes];
  for (int64_t i = 0; i < kLanes; ++i) {
    c0[i] = block * static_cast<uint32_t>(kLanes) + static_cast<uint32_t>(i);
    c1[i] = static_cast<uint32_t>(row);
    c2[i] = static_cast<uint32_t>(row >> 32);
    c3[i] = 0;
  }
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    for (int64_t i = 0; i < kLanes; ++i) {
      const uint64_t p0 = uint64_t{0xD2511F53u} * c0[i];
      const uint64_t p1 = uint64_t{0xCD9E8D57u} * c2[i];
      const uint32_t n0 = static_cast<uint32_t>(p1 >> 32) ^ c1[i] ^ k0;
      const uint32_t n2 = static_cast<uint32_t>(p0 >> 32) ^ c3[i] ^ k1;
      c0[i] = n0;
      c1[i] = static_cast<uint32_t>(p1);
      c2[i] = n2;
      c3[i] = static_cast<uint32_t>(p0);
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  for (int64_t i = 0; i < kLanes; ++i) out[i] = gumbel_of(c0[i]);
  for (int64_t i = 0; i < kLanes; ++i) out[kLanes + i] = gumbel_of(c1[i]);
  for (int64_t i = 0; i < kLanes; ++i) out[2 * kLanes + i] = gumbel_of(c2[i]);
  for (int64_t i = 0; i < kLanes; ++i) out[3 * kLanes + i] = gumbel_of(c3[i]);
}

// Σ f(i) over [0, count) in 16 lanes, the lanes then pairwise, the tail last.
template <class Term>
BITSWEEP_INLINE float lane_sum(int64_t count, Term&& term) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] += term(i + l);
  }
  for (int64_t width = kLanes / 2; width > 0; width /= 2) {
    for (int64_t l = 0; l < width; ++l) lanes[l] += lanes[l + width];
  }
  float sum = lanes[0];
  for (; i < count; ++i) sum += term(i);
  return sum;
}

BITSWEEP_INLINE float lane_max(const float* z, int64_t count) {
  float lanes[kLanes];
  for (float& lane : lanes) lane = -kInfinity;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] = z[i + l] > lanes[l] ? z[i + l] : lanes[l];
  }
  float top = -kInfinity;
  for (; i < count; ++i) top = z[i] > top ? z[i] : top;
  for (float lane : lanes) top = lane > top ? lane : top;
  return top;
}

BITSWEEP_INLINE int32_t last_equal(const float* z, int64_t count, float value) {
  int64_t j = count - 1;
  while (j > 0 && z[j] != value) --j;
  return static_cast<int32_t>(j);
}

// z of query t, in place over keys [0, t]; returns its maximum. `noise` holds context rounded up to kNoiseBlock.
BITSWEEP_INLINE float score_row(float* z, int64_t t, const ScoreRule& rule, float* noise) {
  const int64_t keys = t + 1;
  const int32_t query = static_cast<int32_t>(t);
  for (int32_t j = 0; j < static_cast<int32_t>(keys); ++j) {
    z[j] = z[j] * rule.scale + -rule.slope * static_cast<float>(query - j);
  }
  if (rule.noisy) {
    const uint64_t row = rule.first_row + static_cast<uint64_t>(t);
    for (int64_t j = 0; j < keys; j += kNoiseBlock) {
      gumbel_block(rule.key, row, static_cast<uint32_t>(j / kNoiseBlock), noise + j);
    }
    for (int64_t j = 0; j < keys; ++j) z[j] = (z[j] + noise[j]) * rule.inverse_tau;
  }
  return lane_max(z, keys);
}

// The caller's scratch row; kept by the thread, as it is asked for once a head.
float* noise_row(int64_t context) {
  thread_local std::vector<float> row;
  const size_t needed = static_cast<size_t>((context + kNoiseBlock - 1) / kNoiseBlock * kNoiseBlock);
  if (row.size() < needed) row.resize(needed);
  return row.data();
}

BITSWEEP_CLONES void softmax_head_into(float* scores, int64_t context, const ScoreRule& rule, int32_t* choice,
                                       float* noise) {
  for (int64_t t = 0; t < context; ++t) {
    float* z = scores + t * context;
    const int64_t keys = t + 1;
    const float top = score_row(z, t, rule, noise);
    if (choice != nullptr) choice[t] = last_equal(z, keys, top);
    for (int64_t j = 0; j < keys; ++j) z[j] = exp_nonpositive(z[j] - top);
    const float inverse = 1.0f / lane_sum(keys, [&](int64_t j) { return z[j]; });
    for (int64_t j = 0; j < keys; ++j) z[j] *= inverse;
    std::memset(z + keys, 0, static_cast<size_t>(context - keys) * sizeof(float));
  }
}

BITSWEEP_CLONES void choose_head_into(float* scores, int64_t context, const ScoreRule& rule, int32_t* choice,
                                      float* noise) {
  for (int64_t t = 0; t < context; ++t) {
    float* z = scores + t * context;
    choice[t] = last_equal(z, t + 1, score_row(z, t, rule, noise));
  }
}

}  // namespace

BITSWEEP_CLONES void sign_range(const float* x, float* out, int64_t count, float magnitude) {
  for (int64_t i = 0; i < count; ++i) out[i] = x[i] >= 0.0f ? magnitude : -magnitude;
}

BITSWEEP_CLONES void sign_mask_range(const float* x, float* out, uint8_t* inside, int64_t count) {
  for (int64_t i = 0; i < count; ++i) out[i] = x[i] >= 0.0f ? 1.0f : -1.0f;
  for (int64_t i = 0; i < count; ++i) inside[i] = std::fabs(x[i]) <= 1.0f;
}

BITSWEEP_CLONES void masked_range(const float* gradient, const uint8_t* inside, float* out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) out[i] = inside[i] ? gradient[i] : 0.0f;
}

BITSWEEP_CLONES void residual_sign_range(const float* x, const float* a, const float* b, float* out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) out[i] = (x[i] + a[i]) + b[i] >= 0.0f ? 1.0f : -1.0f;
}

BITSWEEP_CLONES void linear_end_rows(float* sums, const float* scale, const float* threshold, uint8_t* inside,
                                     bool sign, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) {
    float* y = sums + r * columns;
    for (int64_t c = 0; c < columns; ++c) y[c] = y[c] * scale[c] - threshold[c];
    if (inside != nullptr) {
      uint8_t* row = inside + r * columns;
      for (int64_t c = 0; c < columns; ++c) row[c] = std::fabs(y[c]) <= 1.0f;
    }
    if (sign) {
      for (int64_t c = 0; c < columns; ++c) y[c] = y[c] >= 0.0f ? 1.0f : -1.0f;
    }
  }
}

BITSWEEP_CLONES void linear_end_backward(const float* gradient, const uint8_t* inside, float* out, float* column_sums,
                                         int64_t rows, int64_t columns, int64_t begin, int64_t end) {
  for (int64_t c = begin; c < end; ++c) column_sums[c] = 0;
  for (int64_t r = 0; r < rows; ++r) {
    const float* g = gradient + r * columns;
    if (inside == nullptr) {
      for (int64_t c = begin; c < end; ++c) column_sums[c] += g[c];
      continue;
    }
    const uint8_t* row = inside + r * columns;
    float* o = out + r * columns;
    for (int64_t c = begin; c < end; ++c) o[c] = row[c] ? g[c] : 0.0f;
    for (int64_t c = begin; c < end; ++c) column_sums[c] += o[c];
  }
}

BITSWEEP_CLONES void rms_norm_rows(const float* x, const float* gamma, float* out, float* inverse, int64_t rows,
                                   int64_t d, float epsilon) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = x + r * d;
    const float squares = lane_sum(d, [&](int64_t i) { return row[i] * row[i]; });
    const float inv = 1.0f / std::sqrt(squares / static_cast<float>(d) + epsilon);
    inverse[r] = inv;
    float* o = out + r * d;
    for (int64_t i = 0; i < d; ++i) o[i] = row[i] * inv * gamma[i];
  }
}

BITSWEEP_CLONES void rms_norm_backward_rows(const float* x, const float* gamma, const float* inverse,
                                            const float* gradient, float* dx, int64_t rows, int64_t d) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = x + r * d;
    const float* g = gradient + r * d;
    const float inv = inverse[r];
    const float dot = lane_sum(d, [&](int64_t i) { return gamma[i] * g[i] * row[i]; });
    const float factor = dot * inv * inv / static_cast<float>(d);
    float* o = dx + r * d;
    for (int64_t i = 0; i < d; ++i) o[i] = inv * (gamma[i] * g[i] - row[i] * factor);
  }
}

BITSWEEP_CLONES void rms_norm_backward_gamma(const float* x, const float* inverse, const float* gradient, float* dgamma,
                                             int64_t rows, int64_t d, int64_t begin, int64_t end) {
  for (int64_t c = begin; c < end; ++c) dgamma[c] = 0;
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = x + r * d;
    const float* g = gradient + r * d;
    const float inv = inverse[r];
    for (int64_t c = begin; c < end; ++c) dgamma[c] += g[c] * row[c] * inv;
  }
}

BITSWEEP_CLONES void swiglu_range(const float* gate, const float* up, float* out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const float e = exp_nonpositive(-std::fabs(gate[i]));
    const float sigmoid = (gate[i] >= 0.0f ? 1.0f : e) / (1.0f + e);
    out[i] = gate[i] * sigmoid * up[i];
  }
}

BITSWEEP_CLONES void swiglu_backward_range(const float* gate, const float* up, const float* gradient, float* dgate,
                                           float* dup, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const float e = exp_nonpositive(-std::fabs(gate[i]));
    const float sigmoid = (gate[i] >= 0.0f ? 1.0f : e) / (1.0f + e);
    const float silu = gate[i] * sigmoid;
    dup[i] = gradient[i] * silu;
    dgate[i] = gradient[i] * up[i] * (sigmoid + silu * (1.0f - sigmoid));
  }
}

BITSWEEP_CLONES void gumbel_row(uint64_t key, uint64_t row, float* out, int64_t columns) {
  for (int64_t j = 0; j < columns; j += kNoiseBlock) {
    gumbel_block(key, row, static_cast<uint32_t>(j / kNoiseBlock), out + j);
  }
}

void softmax_head(float* scores, int64_t context, const ScoreRule& rule, int32_t* choice) {
  softmax_head_into(scores, context, rule, choice, noise_row(context));
}

void choose_head(float* scores, int64_t context, const ScoreRule& rule, int32_t* choice) {
  choose_head_into(scores, context, rule, choice, noise_row(context));
}

BITSWEEP_CLONES void softmax_backward_head(const float* probabilities, float* gradient, int64_t context, float factor) {
  for (int64_t t = 0; t < context; ++t) {
    const float* p = probabilities + t * context;
    float* g = gradient + t * context;
    const int64_t keys = t + 1;
    const float dot = lane_sum(keys, [&](int64_t j) { return p[j] * g[j]; });
    for (int64_t j = 0; j < keys; ++j) g[j] = p[j] * (g[j] - dot) * factor;
    std::memset(g + keys, 0, static_cast<size_t>(context - keys) * sizeof(float));
  }
}

}  // namespace bitsweep
