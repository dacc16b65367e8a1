#include "kernels/adamw.h"

#include <cmath>

#include "base/simd.h"
#include "kernels/lanes.h"

namespace bitsweep::kernels {

BITSWEEP_CLONES void adamw_range(const AdamWUpdate& update, const float* gradient, float* values, float* mean,
                                 float* square, int64_t count) {
  const AdamWUpdate u = update;
#pragma GCC ivdep  // four arrays of their own
  for (int64_t i = 0; i < count; ++i) {
    const float g = u.gradient_scale * gradient[i];
    const float m = u.beta1 * mean[i] + u.gradient_share * g;
    const float v = u.beta2 * square[i] + u.square_share * g * g;
    mean[i] = m;
    square[i] = v;
    values[i] = u.kept * values[i] - u.rate * m / (std::sqrt(v) * u.root_scale + u.epsilon);
  }
}

BITSWEEP_CLONES double square_sum(const float* x, int64_t count) {
  return lane_sum<kLanes>(count, [&](int64_t i) { return static_cast<double>(x[i]) * static_cast<double>(x[i]); });
}

}  // namespace bitsweep::kernels
