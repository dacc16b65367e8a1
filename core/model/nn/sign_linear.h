// The product behind both 1-bit linears: y = (x · sign(W)ᵀ) ⊙ scale − threshold, and optionally sign(y), as one
// autograd function with a closed-form backward. sign(W) is exact in every compute type and is made again in the
// backward pass rather than kept; of the output only one byte an element (|y| <= 1) is kept.
#pragma once

#include <optional>

#include <ATen/core/Tensor.h>

namespace bitsweep::nn {

// What happens to a linear's output.
enum class OutputSign {
  none,      // y itself
  clipped,   // sign(y), gradient where |y| <= 1: what the linears of every 1-bit variant use
  identity,  // sign(y), gradient everywhere: known not to learn, kept for the ablation that shows it
};

// Scale by a constant: the strict linear has 1/√d_in.
//   x [..., d_in], weight [d_out, d_in], threshold [d_out] -> [..., d_out] in the compute type
// Gradients, with s = x·sign(W)ᵀ, m = the output sign's mask (1 when there is none), h = g ⊙ m:
//   dx = scale · h · sign(W)      dW = scale · hᵀ · x (identity through the sign)      dthreshold = −Σ h
at::Tensor sign_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& threshold, double scale,
                       OutputSign output);

// Scale by α_o = mean |W_o|, over the inputs of each output channel o; α is part of the graph:
//   dx = h · (α sign(W))      G = hᵀ · x      dW = α ⊙ G + sign(W) ⊙ mean_in(G ⊙ sign(W))      dthreshold = −Σ h
// With `alpha` [d_out] given, that is the scale instead, and dW = α ⊙ G, dα = Σ_in G ⊙ sign(W).
// With m = `binarized` below 1 the weight is (1 − m) · W + m · α sign(W); of the gradients above, those of W and α that
// go through the signs count m times, and dW gains (1 − m) · G.
at::Tensor sign_linear_alpha(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& threshold,
                             OutputSign output, const at::Tensor& alpha = {}, double binarized = 1.0);

}  // namespace bitsweep::nn
