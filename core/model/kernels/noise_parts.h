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

// −ln x in two halves, x = (1 + f) · 2^e with 1 + f in [√½, √2): Cephes' polynomial. One loop over a whole logarithm
// would be one chain of operations, of which a CPU has too few at work at once; two short loops are twice as fast.
BITSWEEP_INLINE float log_begin(float f) {
  float p = 7.0376836292e-2f;
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  return p;
}

BITSWEEP_INLINE float minus_log_end(float f, float e, float p) {
  const float z = f * f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  float y = p * f * z;
  y = y - e * 2.12194440e-4f;
  y = y - 0.5f * z;
  return -((f + y) + e * 0.693359375f);
}

// x > 0 and normal -> f and e.
BITSWEEP_INLINE void split(float x, float& f, float& e) {
  const int32_t bits = std::bit_cast<int32_t>(x);
  // The exponent that brings the mantissa into [√½, √2): 0x3f3504f3 is √½.
  const int32_t exponent = (bits - 0x3f3504f3) >> 23;
  e = static_cast<float>(exponent);
  f = std::bit_cast<float>(bits - exponent * (1 << 23)) - 1.0f;
}

// −ln(−ln u) of `count` numbers, at most a block: u = (k + ½)/2²⁴ of 32 random bits. Near u = 1 the distance to 1 is
// used, which is exact.
BITSWEEP_INLINE void gumbel_of_bits(const uint32_t* bits, int64_t count, float* out) {
  float f[kNoiseBlock], e[kNoiseBlock];
  for (int64_t i = 0; i < count; ++i) {
    const int32_t k = static_cast<int32_t>(bits[i] >> 8);
    const float u = (static_cast<float>(k) + 0.5f) * 0x1p-24f;
    const float rest = (static_cast<float>((1 << 24) - 1 - k) + 0.5f) * 0x1p-24f;
    const bool near_one = u >= 0.70710678f;
    float of_u, exponent;
    split(u, of_u, exponent);
    f[i] = near_one ? -rest : of_u;
    e[i] = near_one ? 0.0f : exponent;
    out[i] = log_begin(f[i]);
  }
  for (int64_t i = 0; i < count; ++i) out[i] = minus_log_end(f[i], e[i], out[i]);
  for (int64_t i = 0; i < count; ++i) {
    split(out[i], f[i], e[i]);
    out[i] = log_begin(f[i]);
  }
  for (int64_t i = 0; i < count; ++i) out[i] = minus_log_end(f[i], e[i], out[i]);
}

#ifdef BITSWEEP_INTRINSICS
void noise_bits_avx2(uint64_t key, uint64_t row, int64_t rows, int64_t blocks, uint32_t* bits, int64_t step);
void noise_bits_avx512(uint64_t key, uint64_t row, int64_t rows, int64_t blocks, uint32_t* bits, int64_t step);
#endif

}  // namespace bitsweep::kernels
