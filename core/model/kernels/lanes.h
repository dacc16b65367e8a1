// What the loops of this room share: f32 in 16 lanes. Only its .cpp files include it.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

#include "base/simd.h"

namespace bitsweep::kernels {

constexpr int64_t kLanes = 16;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// e^x for x <= 0; 0 below −86, NaN for NaN. Without a branch, so that loops over it are vectorized.
BITSWEEP_INLINE float exp_nonpositive(float x) {
  const float clamped = x < -86.0f ? -86.0f : x;
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
  const float scaled = std::bit_cast<float>(std::bit_cast<uint32_t>(y) + (static_cast<uint32_t>(n) << 23));
  return scaled * static_cast<float>(x >= -86.0f);  // NaN stays NaN
}

BITSWEEP_INLINE float lane_max(const float* z, int64_t count) {
  float lanes[kLanes];
  for (float& lane : lanes) lane = -kInfinity;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
#pragma GCC unroll 1  // unrolled, it would not be vectorized
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] = z[i + l] > lanes[l] ? z[i + l] : lanes[l];
  }
  float top = -kInfinity;
  for (; i < count; ++i) top = z[i] > top ? z[i] : top;
  for (float lane : lanes) top = lane > top ? lane : top;
  return top;
}

}  // namespace bitsweep::kernels
