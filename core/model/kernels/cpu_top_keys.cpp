#include <cmath>

#include "kernels/cpu_kernels.h"
#include "kernels/lanes.h"

namespace bitsweep::kernels {
namespace {

BITSWEEP_INLINE void add_scaled(float* out, const float* x, float factor, int64_t count) {
  for (int64_t i = 0; i < count; ++i) out[i] += factor * x[i];
}

BITSWEEP_INLINE int64_t alive_keys(const TopKeysHead& head, int64_t t) { return t + 1 < head.keys ? t + 1 : head.keys; }

}  // namespace

std::vector<float> rank_weights(int64_t keys, double rho) {
  std::vector<float> weights(static_cast<size_t>((keys + 1) * keys));
  for (int64_t n = 1; n <= keys; ++n) {
    double sum = 0;
    for (int64_t r = 0; r < n; ++r) sum += std::pow(rho, static_cast<double>(r));
    for (int64_t r = 0; r < n; ++r)
      weights[static_cast<size_t>(n * keys + r)] = static_cast<float>(std::pow(rho, static_cast<double>(r)) / sum);
  }
  return weights;
}

BITSWEEP_CLONES void mix_values_head(const TopKeysHead& head, const float* values, bool sign, float* out) {
  const int64_t size = head.size;
  for (int64_t t = 0; t < head.context; ++t) {
    const int64_t alive = alive_keys(head, t);
    const int32_t* index = head.index + t * head.keys;
    const float* weights = head.weights + alive * head.keys;
    float* row = out + t * size;
    for (int64_t i = 0; i < size; ++i) row[i] = weights[0] * values[index[0] * size + i];
    for (int64_t r = 1; r < alive; ++r) add_scaled(row, values + index[r] * size, weights[r], size);
    if (!sign) continue;
    for (int64_t i = 0; i < size; ++i) row[i] = row[i] >= 0.0f ? 1.0f : -1.0f;
  }
}

BITSWEEP_CLONES void mix_values_backward_head(const TopKeysHead& head, const TopKeysTensors& tensors, float factor) {
  const int64_t size = head.size;
  for (int64_t t = 0; t < head.context; ++t) {
    const int64_t alive = alive_keys(head, t);
    const int32_t* index = head.index + t * head.keys;
    const float* weights = head.weights + alive * head.keys;
    const float* p = tensors.probabilities + t * head.keys;
    const float* g = tensors.gradient + t * size;
    float along[kMaxTopKeys];
    float mean = 0;
    for (int64_t r = 0; r < alive; ++r) {
      const float* value = tensors.values + index[r] * size;
      along[r] = lane_sum<kLanes>(size, [&](int64_t i) { return g[i] * value[i]; });
      mean += p[r] * along[r];
      add_scaled(tensors.dv + index[r] * size, g, weights[r], size);
    }
    float* dq = tensors.dq + t * size;
    for (int64_t i = 0; i < size; ++i) dq[i] = 0;
    for (int64_t r = 0; r < alive; ++r) {
      const float dz = p[r] * (along[r] - mean) * factor;
      add_scaled(dq, tensors.keys + index[r] * size, dz, size);
      add_scaled(tensors.dk + index[r] * size, tensors.queries + t * size, dz, size);
    }
  }
}

}  // namespace bitsweep::kernels
