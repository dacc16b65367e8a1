// What a strict model's step holds of its rows: a layer's bits from forward to backward, and the floats of the way
// back. M rows are all positions of a micro-batch.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/attention_part.h"
#include "engine/plan.h"

namespace bitsweep::engine {

// A layer's rows that its backward pass needs.
struct StrictLayerRows {
  StrictLayerRows(const EnginePlan& plan, int64_t rows, bool trains);
  kernels::SignBits x;  // its input
  AttentionRows attention;
  kernels::SignBits gate, up;                      // signs of the linears' outputs
  kernels::SignBits attended, product;             // inputs of o, where it reads signs, and of down
  std::array<kernels::SignBits, kLinears> inside;  // |y| <= 1; where gradients are clipped
  int64_t bytes() const;
};

struct StrictRows {
  StrictRows() = default;
  StrictRows(const EnginePlan& plan, int64_t rows, bool trains);
  std::vector<StrictLayerRows> layers;  // of evaluation: one, which serves all
  kernels::SignBits out, down;          // signs of o's and down's outputs
  kernels::SignBits last;               // what the head reads
  // Where attentions mix values: what o reads, o's sums, and its scale for each of its outputs; [M, d] and [d].
  kernels::Buffer<float> mixed, sums, scales;
  int64_t bytes() const;
};

// f32, [M, d] but for `inner`, [M, d_ff].
struct StrictGradientRows {
  StrictGradientRows() = default;
  StrictGradientRows(const EnginePlan& plan, int64_t rows);
  kernels::Buffer<float> residual, end, attended, query, key, value, inner, inner_end;
  kernels::SignBits transposed, transposed_inner;  // of a linear's input
  int64_t bytes() const;
};

}  // namespace bitsweep::engine
