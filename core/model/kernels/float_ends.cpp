#include "kernels/float_ends.h"

#include "base/simd.h"
#include "kernels/lanes.h"

namespace bitsweep::kernels {

BITSWEEP_CLONES void turn_rows(float* x, int64_t rows, int64_t heads, int64_t size, const float* cosines,
                               const float* sines, bool back) {
  const int64_t half = size / 2;
  const float way = back ? -1.0f : 1.0f;
  for (int64_t r = 0; r < rows; ++r) {
    const float *cosine = cosines + r * half, *sine = sines + r * half;
    for (int64_t h = 0; h < heads; ++h) {
      float *one = x + (r * heads + h) * size, *two = one + half;
#pragma GCC ivdep  // halves of one head
      for (int64_t i = 0; i < half; ++i) {
        const float a = one[i], b = two[i], s = way * sine[i];
        one[i] = a * cosine[i] - b * s;
        two[i] = b * cosine[i] + a * s;
      }
    }
  }
}

BITSWEEP_CLONES void relu2glu_range(const float* gate, const float* up, float* out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const float open = gate[i] <= 0.0f ? 0.0f : gate[i];  // NaN stays NaN
    out[i] = open * open * up[i];
  }
}

BITSWEEP_CLONES void relu2glu_backward_range(const float* gate, const float* up, const float* gradient, float* dgate,
                                             float* dup, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const float open = gate[i] <= 0.0f ? 0.0f : gate[i];
    dup[i] = gradient[i] * (open * open);
    dgate[i] = gradient[i] * up[i] * open * 2.0f;
  }
}

BITSWEEP_CLONES void centre_rows(const float* x, float* out, int64_t rows, int64_t d) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = x + r * d;
    const float mean = lane_sum<kLanes>(d, [&](int64_t i) { return row[i]; }) / static_cast<float>(d);
    for (int64_t i = 0; i < d; ++i) out[r * d + i] = row[i] - mean;
  }
}

BITSWEEP_CLONES void row_means(const float* w, int64_t columns, float* means, int64_t rows) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = w + r * columns;
    means[r] = lane_sum<kLanes>(columns, [&](int64_t i) { return row[i]; }) / static_cast<float>(columns);
  }
}

BITSWEEP_CLONES float mean_of(const float* x, int64_t count) {
  return lane_sum<kLanes>(count, [&](int64_t i) { return x[i]; }) / static_cast<float>(count);
}

BITSWEEP_CLONES void binary_range(const float* w, float* codes, int64_t count, float mean) {
  for (int64_t i = 0; i < count; ++i) codes[i] = w[i] - mean >= 0.0f ? 1.0f : -1.0f;
}

BITSWEEP_CLONES void scale_range(const float* codes, float* out, int64_t count, float scale) {
  for (int64_t i = 0; i < count; ++i) out[i] = codes[i] * scale;
}

BITSWEEP_CLONES void widen_bytes(const int8_t* bytes, float* out, int64_t count, float scale) {
  for (int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(bytes[i]) * scale;
}

}  // namespace bitsweep::kernels
