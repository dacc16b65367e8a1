#include "kernels/cpu_kernels.h"

#include <cmath>

#include "kernels/lanes.h"

namespace bitsweep::kernels {

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

}  // namespace bitsweep::kernels
