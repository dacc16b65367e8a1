// What lies between the products of a step whose residual is floats (nn/alpha_stack.h): the ends of linears with a
// scale for each output channel, their way back, and K-shift. Matrices are row by row; rows are made alone, so that
// callers may cut them for their threads.
#pragma once

#include <cstdint>

#include "kernels/sign_bits.h"

namespace bitsweep::kernels {

// y = sums · alpha − threshold, by the same f32 arithmetic as linear_end_rows (cpu_kernels.h).
struct ChannelEnd {
  const float *alpha = nullptr, *threshold = nullptr;  // [columns]
  int64_t columns = 0;
};
// Rows [first, last) of sign = sign(y) and, unless null, of inside: its bits are |y| <= 1. sums [last − first,
// columns].
void end_signs(const ChannelEnd& end, const float* sums, SignBits& sign, SignBits* inside, int64_t first, int64_t last);
// out = x + y, [rows, columns].
void add_ends(const ChannelEnd& end, const float* sums, const float* x, float* out, int64_t rows);

// means[r] = Σ |w[r]| / columns, for rows [first, last) of w [rows, columns].
void mean_magnitudes(const float* w, int64_t columns, float* means, int64_t first, int64_t last);
// x[r, c] *= scale[c].
void scale_columns(float* x, const float* scale, int64_t rows, int64_t columns);

// With y's gradient H: G = Hᵀ · x [outputs, inputs], and w the latents:
//   dw = alpha · G, and where alpha is the mean of |w|, + sgn(w) · Σ_in G ⊙ sign(w) / inputs     dalpha = Σ_in G ⊙
//   sign(w)
// where sgn(0) = 0 and sign(0) = 1.
struct ChannelWeight {
  const float *product = nullptr, *weight = nullptr, *alpha = nullptr;  // G, w [outputs, inputs]; [outputs]
  bool follows = true;                                                  // alpha is that mean
  float *gradient = nullptr, *alpha_gradient = nullptr;                 // null: not asked for
  bool add = false;                                                     // to what they have
  int64_t inputs = 0;
};
// Outputs [first, last).
void channel_weight_backward(const ChannelWeight& of, int64_t first, int64_t last);

// to += x.
void add_floats(const float* x, float* to, int64_t count);
// Of one sequence [context, columns]: out[t] = x[t] + x[t − offset], and its way back, to[t] += g[t] + g[t + offset].
// Before the first and after the last there is nothing.
void add_earlier(const float* x, int64_t context, int64_t columns, int64_t offset, float* out);
void add_from_later(const float* g, int64_t context, int64_t columns, int64_t offset, float* to);

}  // namespace bitsweep::kernels
