// Gradients as a whole: their norm, their clipping, their end.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "nn/model.h"

namespace bitsweep::train {

// sqrt of the sum of squares over every gradient there is: an f32 scalar on the parameters' device, 0 without
// gradients.
at::Tensor gradient_norm(const std::vector<nn::Parameter>& parameters);

// What gradients of norm `norm` are to be divided by so that their norm is at most `clip`: max(1, norm / clip), on the
// device. Undefined (divide by nothing) when clip is 0, or when the norm is known to be small enough.
at::Tensor clip_divisor(const at::Tensor& norm, double clip);

// Drops the gradients; the next backward pass makes new ones instead of adding to zeros.
void drop_gradients(const std::vector<nn::Parameter>& parameters);

}  // namespace bitsweep::train
