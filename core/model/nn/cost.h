// What one training step asks of a machine, by arithmetic alone: the FLOPs of every block, and the bytes of the tensors
// that come and go. A family lists the stages of its forward pass in order; the backward pass is the same list from its
// end. Tests hold the figures against what LibTorch allocates and multiplies for every plugin.
//
// FLOPs are those of products: 2·m·n·k for a matrix product of [m, k] and [k, n], 2·d_h for every value, key or query
// of d_h numbers that is weighed and added, or multiplied into a score. Counted forward and backward, one product at a
// time:
//
//   linear, head      y = xWᵀ forward; dx, dW backward: twice as much. ±1, ternary and mixed weights count like floats
//   softmax           QKᵀ, PV; dV, dP, dQ, dK                                    2 and 4 products of T·d a token
//   gumbel            QKᵀ, and a value copied; dP, dQ, dK, and dV added up       1 and 3 of T·d
//   rwsp, topk        QKᵀ, and n values mixed; n each of dA, dQ, dK, dV          1 of T·d, and 1 and 4 of n·d
//
// Products are counted whole: what the causal mask discards is computed. n is the mean over a window's queries of the
// keys they have, min(K, t + 1). Not counted: what is done a number at a time (norms, activations, softmax, ALiBi,
// noise, the choice of keys, signs and scales, quantisation, the loss), the embedding's look-up and its gradient, which
// add and do not multiply, turning by positions, the optimizer and flip rules, and what a path makes twice to save
// memory (LibTorch's attention makes its scores again in bf16, and the reference path of rwsp and topk multiplies by 0
// where a query has less than K keys).
//
// In f32, bytes are those of the CPU: of the family's engine where it has one (EngineCost), else of the blocks with the
// loops of nn/kernel_for.h; within 5 % of what is allocated. In bf16 they are those of the reference path, which has
// more tensors for a moment: within 15 %. A GPU takes that path in f32 too; what it allocates has not been measured.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "nn/attention_rule.h"
#include "nn/geometry.h"
#include "nn/gradients.h"

namespace bitsweep::nn {

constexpr int64_t kFloatBytes = 4;

// One micro-batch.
struct Workload {
  int64_t vocab = 256;    // V
  int64_t sequences = 1;  // B
  int64_t context = 256;  // T
  Gradients gradients = Gradients::f32;
  int64_t element_bytes = 4;  // of activations: 4 in f32, 2 in bf16
  bool accumulates = false;   // gradients of the micro-batches before are there

  int64_t tokens() const { return sequences * context; }
  bool reference_path() const { return element_bytes != 4; }
};

// A part of the forward pass. Bytes are of a micro-batch.
struct Stage {
  std::string block;           // embedding | projections | attention | ffn | norm | head | loss
  double flops = 0;            // forward, per token; multiply and add count two
  double backward_flops = 0;   // the same of its backward pass
  int64_t weights = 0;         // trained numbers that get their gradients (f32) here
  int64_t kept_bytes = 0;      // from here to the end of its backward pass
  int64_t forward_bytes = 0;   // besides, while it runs forward
  int64_t backward_bytes = 0;  // besides, while it runs backward; the weights' gradients not counted
};

// Inputs and targets, which stay for the whole step.
int64_t token_bytes(const Workload& work);

// The most bytes at once over forward and backward pass. Gradients come as what was kept goes; where micro-batches
// accumulate, they are there from the start.
int64_t peak_bytes(const std::vector<Stage>& stages, bool accumulates);
// The same without gradients.
int64_t peak_activation_bytes(const std::vector<Stage>& stages);

// What a family's engine (nn/step_engine.h) holds while it trains a micro-batch in f32 on a CPU. Its buffers are there
// from the first step to the end of the run, in place of what the stages keep and need; so are all gradients, in a
// step.
struct EngineCost {
  std::string none{};   // why there is none for such a model, in a clause; empty: there is one
  bool rounds = false;  // train.gradients: it does, or blocks do (Model::blocks_round)
  int64_t bytes = 0;    // where blocks train in its place, of what it has to score
  // What blocks keep from their forward pass to their backward pass, inputs and targets beside; others keep nothing.
  std::vector<std::pair<std::string, int64_t>> kept{};
};

// What a linear of a family is, as far as it costs.
struct LinearCost {
  enum class Code {
    plain,    // linear.h
    sign,     // sign_linear.h with a constant scale, bit_linear.h
    alpha,    // sign_linear.h with a scale a channel
    ternary,  // bitnet_linear.h
    binary,
  };
  Code code = Code::plain;
  bool masked = false;      // keeps |y| <= 1, a byte an output
  int64_t vectors = 0;      // trained numbers an output beside its weights: threshold, α
  bool norm_inside = true;  // of ternary and binary

  constexpr bool quantizes() const { return code == Code::ternary || code == Code::binary; }
  constexpr bool normed() const { return quantizes() && norm_inside; }
  int64_t weights(int64_t d_in, int64_t d_out) const { return d_out * (d_in + vectors) + (normed() ? d_in : 0); }
};

// Lists the stages of a decoder in the order of its forward pass.
class StageList {
 public:
  StageList(const Shape& shape, const Workload& work) : shape_(shape), work_(work) {}

  void embedding(bool signs, bool tied = false);
  void norm();
  // q, k, v, with `shifted` keys from an input of their own; then attend; then o. kv_width: numbers of a token's keys,
  // and of its values; 0: d_model.
  void attention(const LinearCost& inner, const LinearCost& out, const AttentionRule& rule, bool shifted = false,
                 int64_t kv_width = 0);
  // gate, up, product, down. shares_input: reads what the projections keep anyway.
  void ffn(const LinearCost& inner, const LinearCost& down, bool shares_input = false);
  // The ±1 head with its bias and scale, or a plain product; and the loss. In parts where the vocabulary is large
  // (nn/head_rows.h), as models do that have halves.
  // bits: the signs are unpacked for each product and dropped (bit_linear.h).
  void head(bool signs, bool bits = false);

  std::vector<Stage> take() { return std::move(stages_); }

 private:
  int64_t row(int64_t width) const { return work_.tokens() * width * work_.element_bytes; }
  void attend(const AttentionRule& rule, int64_t kv_width);
  void whole_loss(Stage head, bool signs, int64_t kept_signs);
  void parted_loss(Stage head, bool signs, int64_t kept_signs);
  void linear(const char* block, const LinearCost& linear, int64_t d_in, std::initializer_list<int64_t> outs,
              int64_t kept_input);
  int64_t layer_input(const LinearCost& linear) const;

  Shape shape_;
  Workload work_;
  std::vector<Stage> stages_;
};

}  // namespace bitsweep::nn
