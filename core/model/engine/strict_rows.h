// What a strict model's step holds: packed weights, a layer's bits from forward to backward, and the floats of the way
// back. M rows are all positions of a micro-batch.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/bit_weight.h"
#include "kernels/bit_products.h"
#include "kernels/quantized_products.h"

namespace bitsweep::engine {

// Linears of a layer, in the order of the forward pass.
enum LinearPlace : uint8_t {
  kQueryLinear,
  kKeyLinear,
  kValueLinear,
  kOutLinear,
  kGateLinear,
  kUpLinear,
  kDownLinear,
  kLinears
};

struct StrictPlan {
  int64_t vocab = 0, d_model = 0, layers = 0, heads = 0, d_ff = 0;
  bool clipped = true;        // the gradient through the sign of a linear's output: where |y| <= 1; else everywhere
  int64_t keys = 0;           // that vote in an attention; 0: the hard pointer
  std::vector<float> slopes;  // of ALiBi, [heads]; zeros without it
  // What the gradients of the linears' and the head's outputs are rounded to before they are multiplied; nothing: f32.
  std::optional<kernels::QuantizedKind> rounding{};

  int64_t head_size() const { return d_model / heads; }
  int64_t inputs(LinearPlace place) const { return place == kDownLinear ? d_ff : d_model; }
  int64_t outputs(LinearPlace place) const { return place == kGateLinear || place == kUpLinear ? d_ff : d_model; }
  int64_t layer_weights() const { return 4 * d_model * d_model + 3 * d_model * d_ff; }
};

// The block of a linear in nn/cost.h.
constexpr const char* block_of(LinearPlace place) {
  return place == kGateLinear || place == kUpLinear || place == kDownLinear ? "ffn" : "projections";
}
// Of what is done a word at a time, and of the loss of a logit (workers.h).
inline int64_t word_work(const kernels::SignBits& bits) { return bits.rows() * bits.words(); }
inline constexpr int64_t kLossWork = 4;
// 1/√inputs: what a strict linear's sums are multiplied by, and a head's scores.
float input_scale(int64_t inputs);

struct StrictLayerWeights {
  explicit StrictLayerWeights(const StrictPlan& plan);
  std::array<BitWeight, kLinears> weight;
  std::array<kernels::EndLimits, kLinears> limits;
};

// A layer's rows that its backward pass needs.
struct StrictLayerRows {
  StrictLayerRows(const StrictPlan& plan, int64_t rows, bool trains);
  kernels::SignBits x;                             // its input
  kernels::SignBits query, key, value, gate, up;   // signs of the linears' outputs
  kernels::SignBits attended, product;             // inputs of o and down
  std::array<kernels::SignBits, kLinears> inside;  // |y| <= 1; where gradients are clipped
  kernels::Buffer<int32_t> choice;                 // [sequences, heads, context, keys or 1]
  kernels::Buffer<float> top;                      // of a pointer's choice, its z, [sequences, heads, context]
  kernels::Buffer<float> probabilities;            // of a vote, likewise
  int64_t bytes() const;
};

// Rows whose logits stand at once.
int64_t logit_part_rows(const StrictPlan& plan, int64_t rows);

struct StrictRows {
  StrictRows() = default;
  StrictRows(const StrictPlan& plan, int64_t rows, bool trains);
  std::vector<StrictLayerRows> layers;  // of evaluation: one, which serves all
  kernels::SignBits out, down;          // signs of o's and down's outputs
  kernels::SignBits last;               // what the head reads
  kernels::Buffer<float> logits;        // [part of the rows, vocab]
  kernels::Buffer<double> row_sums;     // [part of the rows]
  int64_t logit_rows = 0;               // of a part
  int64_t bytes() const;
};

// What the gradients of an output are multiplied as where they are rounded. One linear after the other has its own
// here: each is looked up once.
struct RoundedGradient {
  void reserve(const StrictPlan& plan, int64_t rows);
  kernels::QuantizedRows rows;             // of dY [M, out] for dX, and of its transposed for dW
  kernels::QuantizedIndex inputs, weight;  // of the linear's input [M, in], and of its weight [out, in]
  int64_t bytes() const { return rows.allocated() + inputs.allocated() + weight.allocated(); }
};

// f32, [M, d] but for `inner`, [M, d_ff].
struct StrictGradientRows {
  StrictGradientRows() = default;
  StrictGradientRows(const StrictPlan& plan, int64_t rows);
  kernels::Buffer<float> residual, end, attended, query, key, value, inner, inner_end;
  kernels::SignBits transposed, transposed_inner;  // of a linear's input
  RoundedGradient rounded;                         // where the plan rounds
  int64_t bytes() const;
};

}  // namespace bitsweep::engine
