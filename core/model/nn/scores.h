// From raw scores to probabilities and choices: what softmax and pointer attention share, and where they choose their
// path.
#pragma once

#include <cstdint>
#include <optional>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "nn/alibi.h"

namespace bitsweep::nn {

// z = (scores · scale + bias + noise)/τ, causal. Scores are [B·H, T, T], or of the last of S positions alone,
// [B·H, T, S], without noise.
struct ScoreTerms {
  double scale = 1;  // 1/√d_h
  double tau = 1;
  std::optional<at::Generator> generator;  // Gumbel noise from it; nothing: no noise
};

// scores [B·H, T, T] contiguous, used up. Returns the probabilities, [B·H, T, T], 0 above the diagonal. `choice` (or
// null) receives the argmax of z as [B·H, T] int64, the most recent key of equals.
at::Tensor softmax_scores(at::Tensor scores, const ScoreTerms& terms, CausalBias& bias, at::Tensor* choice);

// The argmax alone: [B·H, T] int64. scores are used up.
at::Tensor choose_keys(at::Tensor scores, const ScoreTerms& terms, CausalBias& bias);

// The `keys` best keys of each query, best first and the most recent of equals first.
struct TopChoice {
  at::Tensor index;          // [B·H, T, K] int32; where a query has fewer keys than K, itself
  at::Tensor probabilities;  // [B·H, T, K] f32: softmax of z over them, 0 where there is none
};
// scores [B·H, T, T] are used up.
TopChoice top_keys(at::Tensor scores, const ScoreTerms& terms, CausalBias& bias, int64_t keys);

// d scores of softmax_scores for a gradient [B·H, T, T] of the probabilities, which is used up.
at::Tensor softmax_scores_backward(const at::Tensor& probabilities, at::Tensor gradient, const ScoreTerms& terms);

// The next key of noise on the CPU, 63 bits: what softmax_scores and its likes draw once a call.
uint64_t draw_noise_key(at::Generator& generator);

}  // namespace bitsweep::nn
