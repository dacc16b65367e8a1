// What the step of a float residual holds of its rows: a layer's input and bits from forward to backward, and the
// floats of the way back. M rows are all positions of a micro-batch.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/attention_part.h"
#include "engine/plan.h"

namespace bitsweep::engine {

// A layer's rows that its backward pass needs; norms are made again.
struct AlphaLayerRows {
  AlphaLayerRows(const EnginePlan& plan, int64_t rows, bool trains);
  kernels::Buffer<float> x, middle;  // inputs of its two halves, [M, d]
  AttentionRows attention;
  kernels::SignBits gate, up;                      // signs of the linears' outputs
  kernels::SignBits attended, product;             // inputs of o, where it reads signs, and of down
  std::array<kernels::SignBits, kLinears> inside;  // of q, k, v, gate and up: |y| <= 1; where gradients are clipped
  int64_t bytes() const;
};

// Beside layers, one at a time: [M, d] where nothing else is said.
struct AlphaRows {
  AlphaRows() = default;
  AlphaRows(const EnginePlan& plan, int64_t rows, bool trains);
  std::vector<AlphaLayerRows> layers;  // of evaluation: one, which serves all
  kernels::Buffer<float> last;         // the residual behind all layers
  kernels::Buffer<float> normed;       // what linears and the head read
  kernels::Buffer<float> shifted;      // what keys of a K-shift read, where there is one
  kernels::Buffer<float> mixed;        // what o reads, where it reads floats
  kernels::Buffer<float> sums;         // of a linear, [M, the wider of d and d_ff]
  int64_t bytes() const;
};

// f32, [M, d] but for `inner`, [M, d_ff]; `end` is the wider of the two.
struct AlphaGradientRows {
  AlphaGradientRows() = default;
  AlphaGradientRows(const EnginePlan& plan, int64_t rows);
  kernels::Buffer<float> residual, normed, end, attended, query, key, value, inner;
  kernels::Buffer<float> product;                  // of a weight, dYᵀ·x before its scale
  kernels::SignBits transposed, transposed_inner;  // of what o and down read
  int64_t bytes() const;
};

}  // namespace bitsweep::engine
