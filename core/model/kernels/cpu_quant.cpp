#include <cmath>

#include "kernels/cpu_kernels.h"
#include "kernels/lanes.h"

namespace bitsweep::kernels {
namespace {

constexpr float kLeastMax = 1e-5f;
// Adding and taking it away rounds |x| < 2²² to the nearest integer, ties to even.
constexpr float kRounder = 12582912.0f;

BITSWEEP_INLINE float lane_max_abs(const float* x, int64_t count) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
#pragma GCC unroll 1  // unrolled, it would not be vectorized
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] = std::fabs(x[i + l]) > lanes[l] ? std::fabs(x[i + l]) : lanes[l];
  }
  float top = kLeastMax;
  for (; i < count; ++i) top = std::fabs(x[i]) > top ? std::fabs(x[i]) : top;
  for (float lane : lanes) top = lane > top ? lane : top;
  return top;
}

}  // namespace

BITSWEEP_CLONES void quantize_rows(const float* x, float* codes, int8_t* bytes, float* step, int64_t rows, int64_t d) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = x + r * d;
    float* out = codes + r * d;
    const float top = lane_max_abs(row, d);
    // 0, or NaN as soon as one element is not finite: a maximum alone would pass over a NaN.
    const float poison = lane_sum<kLanes>(d, [&](int64_t i) { return row[i] * 0.0f; });
    const float scale = 127.0f / top;
    for (int64_t i = 0; i < d; ++i) {
      const float code = (row[i] * scale + kRounder) - kRounder;
      out[i] = std::fabs(code) <= 127.0f ? code : 0.0f;  // not so only in a poisoned row
    }
    step[r] = top / 127.0f + poison;
    if (bytes == nullptr) continue;
    int8_t* narrow = bytes + r * d;
    for (int64_t i = 0; i < d; ++i) narrow[i] = static_cast<int8_t>(out[i]);
  }
}

BITSWEEP_CLONES void ternary_range(const float* w, float* codes, int64_t count, float scale) {
  // Half rounds to the even 0, so only what lies beyond it counts.
  for (int64_t i = 0; i < count; ++i) {
    const float scaled = w[i] * scale;
    codes[i] = (scaled > 0.5f ? 1.0f : 0.0f) - (scaled < -0.5f ? 1.0f : 0.0f);
  }
}

}  // namespace bitsweep::kernels
