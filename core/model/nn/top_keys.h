// Attention over the K best keys: what lies between the hard pointer (K = 1) and softmax.
//
//   z = (QKᵀ/√d_h − alibi + Gumbel noise)/τ; evaluation: without noise and τ
//   i_1 … i_n   the n = min(K, t + 1) best keys of z, best first; ties go to the most recent key
//   rank   out = Σ_r w_r v[i_r], w_r = ρ^r / Σ ρ^r (RWSP-G: rank-weighted soft pointer)
//          ρ = 0 is the pointer, bit for bit
//   vote   out = sign(Σ_r v[i_r]), +1 at 0 (v56's top-K of a strict model)
//
// Gradients, g that of the output and p the softmax of z over the chosen keys alone:
//   dv[i_r] = w_r g (vote: g/n; a mean of signs lies within ±1, so its sign passes every gradient)
//   dA_r = g·v[i_r]      dz = p ⊙ (dA − Σ_r p dA)      dq = Σ_r dz_r k[i_r] /(τ√d_h)      dk[i_r] = dz_r q /(τ√d_h)
// Nothing of size T² is kept for the backward pass, and nothing is sorted.
#pragma once

#include <optional>

#include <ATen/core/Tensor.h>

#include "nn/pointer_attention.h"

namespace bitsweep::nn {

struct TopKeys {
  int64_t keys = 4;   // K, from 1 to kMaxTopKeys
  bool vote = false;  // else by rank
  double rho = 1;     // of ranks, in [0, 1]
};

// q, k, v [B, T, d] with d = H·d_h -> [B, T, d]. With noise: training; the noise is the pointer's. Without, k and v
// [B, S, d] may be of more positions, of which queries are the last.
at::Tensor top_keys_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                              CausalBias& bias, const TopKeys& rule, const std::optional<PointerNoise>& noise);

// What each query takes of each key in evaluation: [B, H, T, T] f32, rows sum to 1 (of a vote: 1/n for each of n keys).
at::Tensor top_keys_weights(const at::Tensor& q, const at::Tensor& k, int64_t heads, CausalBias& bias,
                            const TopKeys& rule);

}  // namespace bitsweep::nn
