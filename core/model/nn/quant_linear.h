// The product behind both BitNet linears: weights of one scale a matrix and codes in {−1, 0, 1}, activations of 8 bits
// with one scale a token, as one autograd function with a closed-form backward.
//
//   activations  q = clamp(round(x · 127/m), −128, 127), m = max(1e-5, max |x|) over the last dimension: a token's own
//                maximum, so that no later token reaches an earlier one's scale
//   weights      ternary  β = clamp(mean |W|, 1e-5), C = clamp(round(W/β), −1, 1)      (b1.58, arXiv 2402.17764)
//                binary   β = mean |W|, C = sign(W − mean W)                            (b1, arXiv 2310.11453)
//   y = (q · Cᵀ) · β · m/127
//
// The scales come after the product, so that it sees integers; in f32 its sums are exact up to 2²⁴.
#pragma once

#include <ATen/core/Tensor.h>

namespace bitsweep::nn {

enum class WeightCode { ternary, binary };

// Codes [d_out, d_in] in `type`, and β, an f32 scalar on the weight's device. All-zero weights give ternary codes 0.
struct CodedWeight {
  at::Tensor codes, scale;
};
CodedWeight code_weight(const at::Tensor& weight, WeightCode code, at::ScalarType type);

// x [..., d_in], weight [d_out, d_in] -> [..., d_out] in the compute type. Straight through the codes of both, the
// scales being constants (as in the code that the b1.58 authors published):
//   dx = g · (βC)      dW = gᵀ · (q m/127)
// Keeps the codes of the activations as bytes.
at::Tensor quant_linear(const at::Tensor& x, const at::Tensor& weight, WeightCode code);

}  // namespace bitsweep::nn
