// Gumbel hard-argmax ("pointer") attention: every query copies the value of exactly one earlier key (or its own).
//
//   s = QKᵀ/√d_h − alibi
//   training:   z = (s + Gumbel noise)/τ; forward takes argmax z, backward goes through softmax(z)
//               (straight-through Gumbel-softmax: Jang, Gu, Poole 2017)
//   evaluation: argmax s
//
// Ties go to the most recent key, everywhere. The noise is a function of the generator's next draw and of the place
// (sequence, head, query, key) alone: neither threads nor the batch size change it. On the CPU it is Philox from a
// 63-bit key drawn from the generator; on other devices LibTorch's own.
#pragma once

#include <optional>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "nn/alibi.h"

namespace bitsweep::nn {

struct PointerNoise {
  at::Generator generator;
  double tau = 1.0;
};

// q, k, v [B, T, d] with d = H·d_h -> [B, T, d]. With noise: training; without: evaluation (no gradient to q and k),
// where k and v [B, S, d] may be of more positions, of which queries are the last.
// Gradients of training, with A the one-hot choice, p = softmax(z), g the output's gradient:
//   dv = Aᵀ g      dA = g vᵀ      dz = p ⊙ (dA − Σ_j p dA)      dq = dz·k /(τ√d_h)      dk = dzᵀ·q /(τ√d_h)
at::Tensor pointer_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                             CausalBias& bias, const std::optional<PointerNoise>& noise);

// The keys chosen in evaluation: [B, H, T] int64. As above, k may have more positions.
at::Tensor pointer_indices(const at::Tensor& q, const at::Tensor& k, int64_t heads, CausalBias& bias);

// Standard Gumbel noise [rows, columns] f32, as pointer_attention uses it on the CPU.
at::Tensor gumbel_noise(int64_t rows, int64_t columns, at::Generator& generator);

// τ of a run's progress in [0, 1]: start · (end/start)^progress.
double log_schedule(double start, double end, double progress);

}  // namespace bitsweep::nn
