// What the implementations of noise.h share. Only this room's .cpp files include it.
#pragma once

#include <bit>

#include "base/simd.h"
#include "kernels/intrinsics.h"
#include "kernels/noise.h"

namespace bitsweep::kernels {

inline constexpr int64_t kCounters = 16;  // of a block, four words each
inline constexpr int kPhiloxRounds = 10;
inline constexpr uint32_t kPhiloxMultiplier0 = 0xD2511F53u, kPhiloxMultiplier1 = 0xCD9E8D57u;
inline constexpr uint32_t kPhiloxStep0 = 0x9E3779B9u, kPhiloxStep1 = 0xBB67AE85u;

// ln(m · 2^e) where m = 1 + f lies in [√½, √2). Cephes' polynomial.
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

// 32 random bits -> −ln u, u = (k + ½)/2²⁴. Near u = 1 the distance to 1 is used, which is exact.
BITSWEEP_INLINE float exponential_of(uint32_t bits) {
  const int32_t k = static_cast<int32_t>(bits >> 8);
  const float u = (static_cast<float>(k) + 0.5f) * 0x1p-24f;
  const float rest = (static_cast<float>((1 << 24) - 1 - k) + 0.5f) * 0x1p-24f;
  const bool near_one = u >= 0.70710678f;
  float f, e;
  split(u, f, e);
  return -log_parts(near_one ? -rest : f, near_one ? 0.0f : e);
}

// −ln x.
BITSWEEP_INLINE float minus_log(float x) {
  float f, e;
  split(x, f, e);
  return -log_parts(f, e);
}

// −ln(−ln u) of a block. In two loops: one would be one long chain of operations, of which a CPU sees too few at once.
BITSWEEP_INLINE void gumbel_of_bits(const uint32_t* bits, float* out) {
  for (int64_t i = 0; i < kNoiseBlock; ++i) out[i] = exponential_of(bits[i]);
  for (int64_t i = 0; i < kNoiseBlock; ++i) out[i] = minus_log(out[i]);
}

#ifdef BITSWEEP_INTRINSICS
void noise_block_avx2(uint64_t key, uint64_t row, uint32_t block, float* out);
void noise_block_avx512(uint64_t key, uint64_t row, uint32_t block, float* out);
#endif

}  // namespace bitsweep::kernels
