// Matrix products take rows: the leading shape of a tensor, taken off before one and put back after it.
#pragma once

#include <ATen/core/Tensor.h>

namespace bitsweep::nn {

// rows [N, d] -> [..., d] with the leading shape of `like` [..., any], N elements in all.
inline at::Tensor in_leading_shape(const at::Tensor& rows, const at::Tensor& like) {
  auto shape = like.sizes().vec();
  shape.back() = rows.size(-1);
  return rows.view(shape);
}

}  // namespace bitsweep::nn
