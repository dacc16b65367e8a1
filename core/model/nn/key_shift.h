// K-shift: the key projection reads each position together with an earlier one, so that a single head can match "what
// followed this before" (the v76 notes). No parameters.
#pragma once

#include <ATen/ATen.h>

namespace bitsweep::nn {

// x[t] + x[t − offset], x before the start being 0. x [B, T, d] -> [B, T, d]
inline at::Tensor with_earlier(const at::Tensor& x, int64_t offset) {
  const int64_t context = x.size(1);
  if (offset >= context) return x;
  return x + at::constant_pad_nd(x.narrow(1, 0, context - offset), {0, 0, offset, 0});
}

// The same of rows that follow others: `earlier` are the last of these, [B, at most offset, d] or undefined, and then
// the last of x as well.
inline at::Tensor with_earlier(const at::Tensor& x, int64_t offset, at::Tensor& earlier) {
  const at::Tensor rows = earlier.defined() ? at::cat({earlier, x}, 1) : x;
  const int64_t count = rows.size(1), kept = count < offset ? count : offset;
  earlier = rows.narrow(1, count - kept, kept).clone();
  return with_earlier(rows, offset).narrow(1, count - x.size(1), x.size(1));
}

}  // namespace bitsweep::nn
