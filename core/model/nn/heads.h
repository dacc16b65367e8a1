// Heads in and out of the residual's layout.
#pragma once

#include <ATen/ATen.h>

namespace bitsweep::nn {

// [B, T, H·d_h] -> contiguous [B·H, T, d_h]
inline at::Tensor split_heads(const at::Tensor& x, int64_t heads) {
  const int64_t batch = x.size(0), context = x.size(1), size = x.size(2) / heads;
  return x.view({batch, context, heads, size}).transpose(1, 2).contiguous().view({batch * heads, context, size});
}

// [B·H, T, d_h] -> [B, T, H·d_h]
inline at::Tensor merge_heads(const at::Tensor& x, int64_t heads) {
  const int64_t batch = x.size(0) / heads, context = x.size(1), size = x.size(2);
  return x.view({batch, heads, context, size}).transpose(1, 2).reshape({batch, context, heads * size});
}

}  // namespace bitsweep::nn
