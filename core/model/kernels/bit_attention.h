// Hard pointer attention (nn/pointer_attention.h) whose queries, keys and values are sign bits: scores by xor and
// popcount, the choice alone kept, and in the backward pass probabilities made again, a block of queries at a time, so
// that nothing of size [context, context] stands in memory.
#pragma once

#include <cstdint>

#include "kernels/cpu_kernels.h"
#include "kernels/isa.h"
#include "kernels/sign_bits.h"

namespace bitsweep::kernels {

// One head's sign bits, each [context, size].
struct BitHead {
  const SignBits* queries = nullptr;
  const SignBits* keys = nullptr;
  const SignBits* values = nullptr;
  int64_t context = 0, size = 0;
};

// choice [context]: the argmax of z (ScoreRule), the most recent of equals; top [context]: that z.
void choose_keys(const BitHead& head, const ScoreRule& rule, int32_t* choice, float* top);

// Rows of gradients, [context, size], `step` numbers apart.
struct HeadGradients {
  const float* output = nullptr;                                 // g
  float *queries = nullptr, *keys = nullptr, *values = nullptr;  // written
  int64_t step = 0;
};
// With A the one-hot choice and p the probabilities of z:
//   dv = Aᵀ g      dA = g vᵀ      dz = p ⊙ (dA − Σ_j p dA) · factor      dq = dz·k      dk = dzᵀ·q
// Groups of keys below e^−20 of a query's best have p = 0.
void choose_keys_backward(const BitHead& head, const ScoreRule& rule, const int32_t* choice, const float* top,
                          float factor, const HeadGradients& gradients);

// The best keys of each query and their softmax, as top_keys_head gives them: index and probabilities [context, keys].
void choose_top_keys(const BitHead& head, const ScoreRule& rule, int64_t keys, int32_t* index, float* probabilities);

// out[j] = q·k_j for keys [0, count), of query t; may write up to 16 numbers more.
using BitScores = void (*)(const SignBits& queries, int64_t t, const SignBits& keys, int64_t count, int64_t size,
                           float* out);
BitScores bit_scores(Isa isa);

}  // namespace bitsweep::kernels
