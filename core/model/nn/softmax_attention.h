// Ordinary causal attention: softmax(QKᵀ/√d_h + bias) V.
#pragma once

#include "nn/alibi.h"

namespace bitsweep::nn {

// q [B, T, d], k and v [B, S, d] with d = H·d_h -> [B, T, d]; queries are the last T positions, all of them where there
// is a gradient. `bias` holds the mask and ALiBi.
at::Tensor softmax_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                             CausalBias& bias);

// The probabilities, [B, H, T, T] f32, without gradient.
at::Tensor softmax_weights(const at::Tensor& q, const at::Tensor& k, int64_t heads, CausalBias& bias);

}  // namespace bitsweep::nn
