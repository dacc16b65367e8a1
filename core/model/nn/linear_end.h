// What follows the product in every 1-bit linear: y = sums ⊙ scale − threshold, optionally its sign, and the way back.
#pragma once

#include <utility>

#include <ATen/core/Tensor.h>

#include "nn/sign_linear.h"

namespace bitsweep::nn {

// sums [N, d_out], used up; scale, threshold [d_out] f32 -> y or sign(y) [N, d_out]. `inside` [N, d_out] bool receives
// |y| <= 1 when the output is clipped.
at::Tensor linear_end(at::Tensor sums, const at::Tensor& scale, const at::Tensor& threshold, OutputSign output,
                      at::Tensor& inside);

// h, the gradient [N, d_out] through the output's sign (undefined `inside`: all of it), and its sum over rows [d_out]
// f32.
std::pair<at::Tensor, at::Tensor> sign_backward(const at::Tensor& gradient, const at::Tensor& inside);

}  // namespace bitsweep::nn
