#include "kernels/cpu_kernels.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/lanes.h"

namespace bitsweep::kernels {
namespace {

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

// Philox's ten rounds over kLanes counters (first + lane, row, row >> 32, 0), each word in a 64-bit lane of its own
// whose upper half is rubbish: the 32·32-bit product reads lower halves only, so no word is ever shuffled. Compilers do
// not find that instruction in a loop, hence MULTIPLY. words [4][kLanes].
#define BITSWEEP_PHILOX(BYTES, MULTIPLY)                                                       \
  typedef uint64_t Vector __attribute__((vector_size(BYTES)));                                 \
  constexpr int64_t lanes = BYTES / 8;                                                         \
  for (int64_t group = 0; group < kLanes; group += lanes) {                                    \
    Vector c0 = {}, c1 = Vector{} + (row & 0xffffffffu), c2 = Vector{} + (row >> 32), c3 = {}; \
    for (int64_t l = 0; l < lanes; ++l) c0[l] = first + static_cast<uint64_t>(group + l);      \
    const Vector m0 = Vector{} + 0xD2511F53u, m1 = Vector{} + 0xCD9E8D57u;                     \
    uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);           \
    for (int round = 0; round < 10; ++round) {                                                 \
      const Vector p0 = MULTIPLY(c0, m0), p1 = MULTIPLY(c2, m1);                               \
      c0 = (p1 >> 32) ^ c1 ^ uint64_t{k0};                                                     \
      c1 = p1;                                                                                 \
      c2 = (p0 >> 32) ^ c3 ^ uint64_t{k1};                                                     \
      c3 = p0;                                                                                 \
      k0 += 0x9E3779B9u;                                                                       \
      k1 += 0xBB67AE85u;                                                                       \
    }                                                                                          \
    std::memcpy(words + group, &c0, BYTES);                                                    \
    std::memcpy(words + kLanes + group, &c1, BYTES);                                           \
    std::memcpy(words + 2 * kLanes + group, &c2, BYTES);                                       \
    std::memcpy(words + 3 * kLanes + group, &c3, BYTES);                                       \
  }

#ifdef BITSWEEP_DISPATCH
#define BITSWEEP_MULTIPLY_128(a, b) (Vector)_mm_mul_epu32((__m128i)(a), (__m128i)(b))
#define BITSWEEP_MULTIPLY_256(a, b) (Vector)_mm256_mul_epu32((__m256i)(a), (__m256i)(b))
#define BITSWEEP_MULTIPLY_512(a, b) (Vector)_mm512_maskz_mul_epu32(0xff, (__m512i)(a), (__m512i)(b))
__attribute__((target("default"))) void philox_lanes(uint64_t key, uint64_t row, uint32_t first, uint64_t* words) {
  BITSWEEP_PHILOX(16, BITSWEEP_MULTIPLY_128)
}
__attribute__((target("avx2"))) void philox_lanes(uint64_t key, uint64_t row, uint32_t first, uint64_t* words) {
  BITSWEEP_PHILOX(32, BITSWEEP_MULTIPLY_256)
}
__attribute__((target("avx512f"))) void philox_lanes(uint64_t key, uint64_t row, uint32_t first, uint64_t* words) {
  BITSWEEP_PHILOX(64, BITSWEEP_MULTIPLY_512)
}
#else
#define BITSWEEP_MULTIPLY_PLAIN(a, b) (((a) & uint64_t{0xffffffffu}) * (b))
void philox_lanes(uint64_t key, uint64_t row, uint32_t first, uint64_t* words) {
  BITSWEEP_PHILOX(16, BITSWEEP_MULTIPLY_PLAIN)
}
#endif

// Columns [64·block, 64·block + 64): word w of the counter 16·block + lane serves column 64·block + 16·w + lane.
BITSWEEP_INLINE void gumbel_block(uint64_t key, uint64_t row, uint32_t block, float* out) {
  alignas(64) uint64_t words[kNoiseBlock];
  philox_lanes(key, row, block * static_cast<uint32_t>(kLanes), words);
  uint32_t bits[kNoiseBlock];
  for (int64_t i = 0; i < kNoiseBlock; ++i) bits[i] = static_cast<uint32_t>(words[i]);
  for (int64_t i = 0; i < kNoiseBlock; ++i) out[i] = gumbel_of(bits[i]);
}

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

// z of query t, in place over its padded keys; returns its maximum. `noise` holds context rounded up to kNoiseBlock.
BITSWEEP_INLINE float score_row(float* z, int64_t t, int64_t context, const ScoreRule& rule, float* noise) {
  const int64_t keys = padded_keys(t, context);
  const int32_t query = static_cast<int32_t>(t);
  for (int32_t j = 0; j < static_cast<int32_t>(keys); ++j) {
    z[j] = z[j] * rule.scale + -rule.slope * static_cast<float>(query - j);
  }
  if (rule.noisy) {
    const uint64_t row = rule.first_row + static_cast<uint64_t>(t);
    for (int64_t j = 0; j <= t; j += kNoiseBlock) {
      gumbel_block(rule.key, row, static_cast<uint32_t>(j / kNoiseBlock), noise + j);
    }
    for (int64_t j = 0; j < keys; ++j) z[j] = (z[j] + noise[j]) * rule.inverse_tau;
  }
  for (int64_t j = t + 1; j < keys; ++j) z[j] = -kInfinity;
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
    const int64_t keys = padded_keys(t, context);
    const float top = score_row(z, t, context, rule, noise);
    if (choice != nullptr) choice[t] = last_equal(z, t + 1, top);
    for (int64_t j = 0; j < keys; ++j) z[j] = exp_nonpositive(z[j] - top);
    const float inverse = 1.0f / lane_sum<kLanes>(keys, [&](int64_t j) { return z[j]; });
    for (int64_t j = 0; j < keys; ++j) z[j] *= inverse;
    std::memset(z + keys, 0, static_cast<size_t>(context - keys) * sizeof(float));
  }
}

BITSWEEP_CLONES void choose_head_into(float* scores, int64_t context, const ScoreRule& rule, int32_t* choice,
                                      float* noise) {
  for (int64_t t = 0; t < context; ++t) {
    float* z = scores + t * context;
    choice[t] = last_equal(z, t + 1, score_row(z, t, context, rule, noise));
  }
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

BITSWEEP_CLONES void top_keys_head_into(float* scores, int64_t context, const ScoreRule& rule, int64_t keys,
                                        int32_t* index, float* probabilities, float* noise) {
  for (int64_t t = 0; t < context; ++t) {
    float* z = scores + t * context;
    float* p = probabilities + t * keys;
    score_row(z, t, context, rule, noise);
    float best[kMaxTopKeys];
    best_of_row(z, t + 1, keys, best, index + t * keys);
    const int64_t alive = t + 1 < keys ? t + 1 : keys;
    float sum = 0;
    for (int64_t r = 0; r < keys; ++r) p[r] = r < alive ? exp_nonpositive(best[r] - best[0]) : 0.0f;
    for (int64_t r = 0; r < alive; ++r) sum += p[r];
    for (int64_t r = 0; r < alive; ++r) p[r] /= sum;
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
    const float squares = lane_sum<kLanes>(d, [&](int64_t i) { return row[i] * row[i]; });
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
    const float dot = lane_sum<kLanes>(d, [&](int64_t i) { return gamma[i] * g[i] * row[i]; });
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

void top_keys_head(float* scores, int64_t context, const ScoreRule& rule, int64_t keys, int32_t* index,
                   float* probabilities) {
  top_keys_head_into(scores, context, rule, keys, index, probabilities, noise_row(context));
}

BITSWEEP_CLONES void softmax_backward_head(const float* probabilities, float* gradient, int64_t context, float factor) {
  for (int64_t t = 0; t < context; ++t) {
    const float* p = probabilities + t * context;
    float* g = gradient + t * context;
    const int64_t keys = t + 1;
    const float dot = lane_sum<kLanes>(keys, [&](int64_t j) { return p[j] * g[j]; });
    for (int64_t j = 0; j < keys; ++j) g[j] = p[j] * (g[j] - dot) * factor;
    std::memset(g + keys, 0, static_cast<size_t>(context - keys) * sizeof(float));
  }
}

}  // namespace bitsweep::kernels
