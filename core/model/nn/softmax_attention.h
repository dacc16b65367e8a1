// Ordinary causal attention: softmax(QKᵀ/√d_h + bias) V.
#pragma once

#include "nn/alibi.h"

namespace bitsweep::nn {

// q, k, v [B, T, d] with d = H·d_h -> [B, T, d]. `bias` holds the mask and ALiBi.
at::Tensor softmax_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                             CausalBias& bias);

// The probabilities, [B, H, T, T] f32, without gradient.
at::Tensor softmax_weights(const at::Tensor& q, const at::Tensor& k, int64_t heads, CausalBias& bias);

}  // namespace bitsweep::nn
