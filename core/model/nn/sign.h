// Signs with straight-through gradients. sign(x) = +1 where x >= 0 (so +0 and -0 give +1), else -1.
// A NaN gives -1: the trainer sees it in the loss of whatever else is float.
//
// Bengio, Léonard, Courville 2013 (identity); Hubara et al. 2016 (clipped). Which one goes where is a measured finding:
// weights and the residual take the identity, outputs of linears the clipped one; with the identity there a strict
// model does not learn.
#pragma once

#include <ATen/core/Tensor.h>

namespace bitsweep::nn {

// Values only, no gradient: ±magnitude in `type`. magnitude: 1, or a tensor [rows] for a matrix x [rows, columns].
at::Tensor sign_of(const at::Tensor& x, at::ScalarType type);
at::Tensor sign_of_rows(const at::Tensor& x, const at::Tensor& magnitude, at::ScalarType type);

// Any shape -> same shape and type. Gradient: g.
at::Tensor sign_ste(const at::Tensor& x);

// Any shape -> same shape and type. Gradient: g where |x| <= 1, else 0. Keeps one byte an element for the backward
// pass.
at::Tensor sign_ste_clipped(const at::Tensor& x);

// The strict residual: sign(x + a + b), three tensors of one shape -> the same shape, in x's type. Gradient: g to each.
at::Tensor residual_sign(const at::Tensor& x, const at::Tensor& a, const at::Tensor& b);

}  // namespace bitsweep::nn
