// Causal softmax attention of one head on floats, forward and backward, without its [T, T] matrix: 32 queries at a
// time against all keys up to theirs.
//
//   z[t, j] = scale · q_t·k_j − slope · (t − j)      P = softmax over j <= t      out[t] = Σ_j P[t, j] v_j
//
// Every sum has one order, whatever the instruction set: queries lie in the lanes, sums over keys are chains of 256
// (float_products.h), those over channels one chain, and what keys and values get of 32 queries is a chain, added block
// after block.
#pragma once

#include <cstdint>

namespace bitsweep::kernels {

inline constexpr int64_t kQueryBlock = 32;

// Rows [context, size], a step apart.
struct FloatHead {
  const float *queries = nullptr, *keys = nullptr, *values = nullptr;
  int64_t query_step = 0, key_step = 0;  // that of values is the keys'
  int64_t context = 0, size = 0;
  float scale = 1, slope = 0;
};

// The largest z of each query and 1/Σ e^(z − largest), [context]: what its backward pass makes P of.
struct SoftmaxRows {
  float *top = nullptr, *inverse = nullptr;
};

// out [context, size], rows out_step apart.
void attend_softmax(const FloatHead& head, const SoftmaxRows& rows, float* out, int64_t out_step);

// From the gradient of `out` those of queries, keys and values. Rows lie as those of the head do, the gradient's as the
// queries'. add: to what keys and values have, of heads that share them.
struct FloatHeadGradients {
  const float* output = nullptr;
  float *queries = nullptr, *keys = nullptr, *values = nullptr;
  bool add = false;
};
void attend_softmax_backward(const FloatHead& head, const SoftmaxRows& rows, const FloatHeadGradients& to);

// That a thread keeps for heads of this context and size.
int64_t softmax_scratch_bytes(int64_t context, int64_t size);

}  // namespace bitsweep::kernels
