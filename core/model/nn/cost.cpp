#include "nn/cost.h"

#include <algorithm>
#include <numeric>

#include "nn/head_rows.h"

namespace bitsweep::nn {
namespace {

constexpr int64_t kIndexBytes = 8;

// Copies of a weight matrix that a linear has for a moment, forward and backward.
struct MatrixCopies {
  int64_t forward, backward;
};
MatrixCopies matrix_copies(LinearCost::Code code) {
  switch (code) {
    case LinearCost::Code::plain:
      return {0, 0};
    case LinearCost::Code::sign:
      return {1, 1};
    case LinearCost::Code::alpha:
      return {1, 3};  // G, sign(W) and their product
    case LinearCost::Code::ternary:
    case LinearCost::Code::binary:
      return {2, 2};  // codes, and |W| or βC
  }
  return {0, 0};
}

int64_t gradient_bytes(const std::vector<Stage>& stages) {
  int64_t weights = 0;
  for (const Stage& stage : stages) weights += stage.weights;
  return kFloatBytes * weights;
}

// gradients: 0 none counted, else bytes a weight.
int64_t peak_of(const std::vector<Stage>& stages, int64_t gradients, bool accumulates) {
  int64_t live = accumulates ? gradient_bytes(stages) : 0, peak = 0;
  const int64_t fresh = accumulates ? 0 : gradients;
  for (const Stage& stage : stages) {
    live += stage.kept_bytes;
    peak = std::max(peak, live + stage.forward_bytes);
  }
  for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage) {
    live += fresh * stage->weights;
    peak = std::max(peak, live + stage->backward_bytes);
    live -= stage->kept_bytes;
  }
  return std::max(peak, live);
}

}  // namespace

int64_t token_bytes(const Workload& work) { return 2 * kIndexBytes * work.tokens(); }

int64_t peak_bytes(const std::vector<Stage>& stages, bool accumulates) {
  return peak_of(stages, kFloatBytes, accumulates);
}

int64_t peak_activation_bytes(const std::vector<Stage>& stages) { return peak_of(stages, 0, false); }

void StageList::embedding(bool signs, bool tied) {
  const int64_t d = shape_.d_model, matrix = work_.vocab * d;
  stages_.push_back(
      {.block = "embedding",
       .weights = tied ? 0 : matrix,
       .kept_bytes = token_bytes(work_),
       .forward_bytes = row(signs ? 2 * d : d),
       .backward_bytes = row(d) + (tied ? kFloatBytes * matrix : 0)});  // tied: beside the head's gradient
}

void StageList::norm() {
  const int64_t d = shape_.d_model;
  stages_.push_back({.block = "norm",
                     .weights = d,
                     .kept_bytes = kFloatBytes * work_.tokens() * (d + 1),  // the residual is f32 in every precision
                     .forward_bytes = row(d),
                     .backward_bytes = row(3 * d)});
}

// What the first linears of a block keep of their input: a norm inside keeps the residual, which is f32 in every
// precision; quantized without one, the input itself is of no more use.
int64_t StageList::layer_input(const LinearCost& linear) const {
  if (linear.normed()) return kFloatBytes * work_.tokens() * shape_.d_model;
  return linear.quantizes() ? 0 : row(shape_.d_model);
}

// Linears of one input, each with so many outputs; what they give is counted where it is kept.
void StageList::linear(const char* block, const LinearCost& linear, int64_t d_in, std::initializer_list<int64_t> outs,
                       int64_t kept_input) {
  const auto copies = static_cast<int64_t>(outs.size());
  const int64_t tokens = work_.tokens(), d_out = std::accumulate(outs.begin(), outs.end(), int64_t{0});
  const int64_t widest = std::max(outs), matrix = kFloatBytes * d_in * widest;
  const MatrixCopies matrices = matrix_copies(linear.code);
  Stage stage{.block = block,
              .flops = 2.0 * static_cast<double>(d_in * d_out),
              .backward_flops = 4.0 * static_cast<double>(d_in * d_out)};
  for (const int64_t out : outs) stage.weights += linear.weights(d_in, out);
  stage.kept_bytes = kept_input;
  if (linear.masked) stage.kept_bytes += tokens * d_out;
  stage.forward_bytes = row(d_out) + matrices.forward * matrix;
  // The residual's gradient, those that come in, and one of the input with another to be added to it.
  stage.backward_bytes = row(shape_.d_model + d_out + (copies > 1 ? 2 : 1) * d_in) + matrices.backward * matrix;
  if (linear.masked) stage.backward_bytes += row(widest);
  if (linear.quantizes()) {
    // A linear keeps its input's codes (a byte each) and their step; with a norm inside its 1/RMS, and binary ones
    // their centred input.
    stage.kept_bytes += copies * tokens * (d_in + kFloatBytes);
    stage.forward_bytes += row(d_in + widest);
    stage.backward_bytes += row(d_in);
  }
  if (linear.normed()) {
    stage.kept_bytes += copies * tokens * kFloatBytes;
    if (linear.code == LinearCost::Code::binary) stage.kept_bytes += (copies - 1) * kept_input;
    stage.forward_bytes += row(d_in);
    stage.backward_bytes += row(d_in);
  }
  stages_.push_back(stage);
}

void StageList::attend(const AttentionRule& rule, int64_t kv_width) {
  const int64_t d = shape_.d_model, tokens = work_.tokens(), heads = shape_.n_heads;
  const int64_t scores = row(heads * work_.context);
  const AttentionProducts products = attention_products(rule, work_.context);
  Stage stage{.block = "attention",
              .flops = 2.0 * static_cast<double>(d) * products.forward,
              .backward_flops = 2.0 * static_cast<double>(d) * products.backward,
              .kept_bytes = row(3 * d),
              .forward_bytes = row(5 * d),
              .backward_bytes = row(9 * d)};
  const bool few = rule.kind == AttentionKind::rwsp || rule.kind == AttentionKind::topk;
  // LibTorch's own keeps no scores, unless a bias comes with them; but its output, and back it sums gradients in f32.
  const bool without_scores =
      work_.reference_path() && rule.kind == AttentionKind::softmax && rule.positions != Positions::alibi;
  if (few) {
    stage.kept_bytes += tokens * heads * rule.keys * 2 * kFloatBytes;
    stage.forward_bytes += scores;
  } else if (without_scores) {
    stage.kept_bytes += row(d);
    stage.backward_bytes += row(8 * d);
  } else {
    stage.kept_bytes += scores;
    // The softmax of the fused path goes a sequence at a time, and only then merges the heads' gradients; every thread
    // beyond the first adds another sequence's scores.
    const bool by_sequence = rule.kind == AttentionKind::softmax && !work_.reference_path();
    if (by_sequence)
      stage.backward_bytes = std::max(stage.backward_bytes, row(6 * d) + scores / work_.sequences);
    else
      stage.backward_bytes += scores;
    if (rule.kind == AttentionKind::gumbel) stage.kept_bytes += tokens * heads * kIndexBytes;
  }
  if (work_.reference_path() && rule.kind != AttentionKind::softmax) {
    // z and its noise in f32, then z turned round; back: p, its gradient, and what is made of the two.
    const int64_t wide = kFloatBytes * tokens * heads * work_.context;
    stage.forward_bytes += scores + 2 * wide;
    if (few) {
      stage.backward_bytes += 3 * kFloatBytes * tokens * d * rule.keys;  // rows of keys, values and their products
    } else {
      stage.backward_bytes += 5 * wide;
    }
  }
  // Keys and values of shared heads, before they are repeated; and their gradients, before they are summed.
  if (kv_width != d) {
    stage.forward_bytes += row(2 * kv_width);
    stage.backward_bytes += row(2 * kv_width);
  }
  stages_.push_back(stage);
}

void StageList::attention(const LinearCost& inner, const LinearCost& out, const AttentionRule& rule, bool shifted,
                          int64_t kv_width) {
  const int64_t d = shape_.d_model, d_kv = kv_width > 0 ? kv_width : d;
  linear("projections", inner, d, {d, d_kv, d_kv}, layer_input(inner));
  if (shifted) stages_.back().kept_bytes += row(d);
  attend(rule, d_kv);
  linear("projections", out, d, {d}, row(d));
}

void StageList::ffn(const LinearCost& inner, const LinearCost& down, bool shares_input) {
  const int64_t d = shape_.d_model, f = shape_.d_ff;
  linear("ffn", inner, d, {f, f}, shares_input ? 0 : layer_input(inner));
  stages_.push_back(
      {.block = "ffn", .kept_bytes = row(2 * f), .forward_bytes = row(f), .backward_bytes = row(d + 3 * f)});
  linear("ffn", down, f, {d}, row(f));
}

void StageList::head(bool signs, bool bits) {
  const int64_t d = shape_.d_model, vocab = work_.vocab;
  // Of latents in f32; of bits in what is computed with, for the product and its gradient.
  const int64_t kept_signs = signs ? (bits ? work_.element_bytes : kFloatBytes) * vocab * d : 0;
  Stage head{.block = "head",
             .flops = 2.0 * static_cast<double>(vocab * d),
             .backward_flops = 4.0 * static_cast<double>(vocab * d),
             .weights = vocab * d + (signs ? vocab + 1 : 0),
             .kept_bytes = row(d)};
  if (parts_head(vocab)) {
    parted_loss(head, signs, kept_signs);
  } else {
    whole_loss(head, signs, kept_signs);
  }
}

void StageList::whole_loss(Stage head, bool signs, int64_t kept_signs) {
  const int64_t d = shape_.d_model;
  const int64_t logits = kFloatBytes * work_.tokens() * work_.vocab;  // f32 in every precision
  head.forward_bytes = logits;
  head.backward_bytes = logits + row(d);
  if (signs) {
    head.kept_bytes += logits + kept_signs;
    head.forward_bytes = 2 * logits;
    head.backward_bytes = 3 * logits + row(d);
  }
  stages_.push_back(head);
  stages_.push_back({.block = "loss", .kept_bytes = logits, .forward_bytes = logits, .backward_bytes = 2 * logits});
}

// A part comes and goes while the step stands between forward and backward: nothing of it is kept.
void StageList::parted_loss(Stage head, bool signs, int64_t kept_signs) {
  const int64_t d = shape_.d_model, vocab = work_.vocab, rows = head_rows(work_.tokens(), vocab);
  const int64_t logits = kFloatBytes * rows * vocab, matrix = kFloatBytes * vocab * d;
  head.kept_bytes += row(d);  // the gradient that is collected
  // The weight's gradient of a part, beside those of the parts before it.
  const int64_t gradient = rows < work_.tokens() || work_.accumulates ? matrix : 0;
  int64_t part = rows * d * work_.element_bytes;  // the gradient of the part's rows
  part += std::max(3 * logits, logits + gradient);
  if (signs) part += logits + kept_signs;  // the sums before their scale
  head.backward_bytes = part;
  stages_.push_back(head);
  stages_.push_back({.block = "loss"});
}

}  // namespace bitsweep::nn
