#include "kernels/alpha_ends.h"

#include <algorithm>
#include <cmath>

#include "kernels/lanes.h"

namespace bitsweep::kernels {
namespace {

// y of a row; and −1 where |y| <= 1, else 0, whose signs are the bits of `inside`.
BITSWEEP_CLONES void end_row(const ChannelEnd& end, const float* sums, float* y, float* inside) {
  for (int64_t c = 0; c < end.columns; ++c) y[c] = sums[c] * end.alpha[c] - end.threshold[c];
  if (inside == nullptr) return;
  for (int64_t c = 0; c < end.columns; ++c) inside[c] = std::fabs(y[c]) <= 1.0f ? -1.0f : 0.0f;
}

}  // namespace

void end_signs(const ChannelEnd& end, const float* sums, SignBits& sign, SignBits* inside, int64_t first,
               int64_t last) {
  thread_local Buffer<float> scratch;
  float *y = scratch.at_least(2 * end.columns), *within = inside != nullptr ? y + end.columns : nullptr;
  for (int64_t r = first; r < last; ++r, sums += end.columns) {
    end_row(end, sums, y, within);
    pack_row(y, sign, r);
    if (inside != nullptr) pack_row(within, *inside, r);
  }
}

BITSWEEP_CLONES void add_ends(const ChannelEnd& end, const float* sums, const float* x, float* out, int64_t rows) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < end.columns; ++c) {
      const int64_t at = r * end.columns + c;
      out[at] = x[at] + (sums[at] * end.alpha[c] - end.threshold[c]);
    }
}

BITSWEEP_CLONES void mean_magnitudes(const float* w, int64_t columns, float* means, int64_t first, int64_t last) {
  for (int64_t r = first; r < last; ++r) {
    const float* row = w + r * columns;
    means[r] = lane_sum<kLanes>(columns, [&](int64_t c) { return std::fabs(row[c]); }) / static_cast<float>(columns);
  }
}

BITSWEEP_CLONES void scale_columns(float* x, const float* scale, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) x[r * columns + c] *= scale[c];
}

BITSWEEP_CLONES void channel_weight_backward(const ChannelWeight& of, int64_t first, int64_t last) {
  for (int64_t r = first; r < last; ++r) {
    const float *g = of.product + r * of.inputs, *w = of.weight + r * of.inputs;
    const float along = lane_sum<kLanes>(of.inputs, [&](int64_t i) { return w[i] >= 0.0f ? g[i] : -g[i]; });
    if (of.alpha_gradient != nullptr) of.alpha_gradient[r] = of.add ? of.alpha_gradient[r] + along : along;
    if (of.gradient == nullptr) continue;
    float* to = of.gradient + r * of.inputs;
    const float alpha = of.alpha[r], mean = of.follows ? along / static_cast<float>(of.inputs) : 0.0f;
    if (!of.add) std::fill_n(to, of.inputs, 0.0f);
    for (int64_t i = 0; i < of.inputs; ++i) {
      const float sign = w[i] > 0.0f ? 1.0f : w[i] < 0.0f ? -1.0f : 0.0f;
      to[i] += g[i] * alpha + sign * mean;
    }
  }
}

BITSWEEP_CLONES void add_floats(const float* x, float* to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] += x[i];
}

BITSWEEP_CLONES void add_earlier(const float* x, int64_t context, int64_t columns, int64_t offset, float* out) {
  const int64_t count = context * columns, back = std::min(offset * columns, count);
  std::copy_n(x, back, out);
  for (int64_t i = back; i < count; ++i) out[i] = x[i] + x[i - back];
}

BITSWEEP_CLONES void add_from_later(const float* g, int64_t context, int64_t columns, int64_t offset, float* to) {
  const int64_t count = context * columns, ahead = std::min(offset * columns, count);
  for (int64_t i = 0; i < count; ++i) to[i] += g[i];
  for (int64_t i = 0; i + ahead < count; ++i) to[i] += g[i + ahead];
}

}  // namespace bitsweep::kernels
