// How a query makes its output of the keys before it, as an option of a model and as a step of a run sees it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nn/geometry.h"
#include "nn/model.h"
#include "nn/options.h"
#include "nn/pointer_attention.h"
#include "nn/rotary.h"
#include "nn/schedule.h"

namespace bitsweep::nn {

enum class AttentionKind {
  gumbel,   // the hard pointer: pointer_attention.h
  rwsp,     // rank-weighted soft pointer over the K best keys: top_keys.h
  topk,     // majority vote of the K best keys: top_keys.h
  softmax,  // softmax_attention.h
};

// How an attention knows where a key is.
enum class Positions {
  alibi,  // a bias on the scores: alibi.h
  rope,   // queries and keys turned by their positions: rotary.h
  none,   // by the causal mask alone
};

struct AttentionRule {
  AttentionKind kind = AttentionKind::gumbel;
  Positions positions = Positions::alibi;
  double rope_theta = kRopeTheta;
  RopeScaling rope_scaling = {};
  double tau_start = 2.0, tau_end = 0.1;  // on a log scale; all but softmax
  int64_t keys = 4;                       // K of rwsp and topk
  double rho_start = 1.0, rho_end = 0.0;  // of rwsp
  Anneal rho_schedule = Anneal::linear;
};

// Reads `attention` (one of `kinds`; the first is the default), positions, `tau_start`, `tau_end` and, where a kind has
// them, `topk_k`, `rwsp_k`, `rho_start`, `rho_end`, `rho_schedule`. Those of a kind that was not chosen are checked and
// left out of the resolved options, so that they tell no two runs apart. Refuses K > context. `usual` are the defaults.
//
// Positions: `positions` alibi | rope | none, or `alibi` true | false, which says the first or the last of these and is
// what is recorded of them; both may be given where they agree. `rope_theta` with rope, and `rope_factor` with
// `rope_low_freq_factor`, `rope_high_freq_factor` and `rope_original_positions`, which are recorded where the factor is
// not 1. rope_shape: the model's, where
// rope is offered, whose heads must be even then; null: it is not.
AttentionRule read_attention(OptionReader& reader, const std::vector<AttentionKind>& kinds, int64_t context,
                             const AttentionRule& usual = {}, const Shape* rope_shape = nullptr);

// softmax, whose only options are those of positions.
AttentionRule read_softmax_attention(OptionReader& reader, const Shape* rope_shape = nullptr);

// Vectors of keys, values, queries and gradients that a query multiplies, on the average over a window (nn/cost.h).
struct AttentionProducts {
  double forward = 0, backward = 0;
};
AttentionProducts attention_products(const AttentionRule& rule, int64_t context);

// A rule at one step.
struct AttentionStep {
  AttentionKind kind = AttentionKind::gumbel;
  std::optional<PointerNoise> noise;  // in training
  int64_t keys = 4;
  double rho = 0;
  AttentionObserver* observer = nullptr;  // in evaluation, where someone looks
};
AttentionStep attention_step(const AttentionRule& rule, const StepContext& context);

// What a query takes of each key in evaluation, [B, H, T, T] f32: one 1 for the pointer, weights by rank for rwsp, 1/n
// for each of a vote's n keys, probabilities for softmax. Of T² size, which `attend` itself avoids: made for observers.
at::Tensor attention_weights(const at::Tensor& q, const at::Tensor& k, int64_t heads, CausalBias& bias,
                             const AttentionStep& step);

// q [B, T, d], k and v [B, S, d] with d = H·d_h -> [B, T, d]. Queries are the last T of the S positions: fewer than all
// in evaluation alone, where one decodes. Tells the step's observer, where they are all.
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads, CausalBias& bias,
                  const AttentionStep& step);

}  // namespace bitsweep::nn
