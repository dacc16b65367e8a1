// How a query makes its output of the keys before it, as an option of a model and as a step of a run sees it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nn/model.h"
#include "nn/options.h"
#include "nn/pointer_attention.h"
#include "nn/schedule.h"

namespace bitsweep::nn {

enum class AttentionKind {
  gumbel,   // the hard pointer: pointer_attention.h
  rwsp,     // rank-weighted soft pointer over the K best keys: top_keys.h
  topk,     // majority vote of the K best keys: top_keys.h
  softmax,  // softmax_attention.h
};

struct AttentionRule {
  AttentionKind kind = AttentionKind::gumbel;
  bool alibi = true;
  double tau_start = 2.0, tau_end = 0.1;  // on a log scale; all but softmax
  int64_t keys = 4;                       // K of rwsp and topk
  double rho_start = 1.0, rho_end = 0.0;  // of rwsp
  Anneal rho_schedule = Anneal::linear;
};

// Reads `attention` (one of `kinds`; the first is the default), `alibi`, `tau_start`, `tau_end` and, where a kind has
// them, `topk_k`, `rwsp_k`, `rho_start`, `rho_end`, `rho_schedule`. Those of a kind that was not chosen are checked and
// left out of the resolved options, so that they tell no two runs apart. Refuses K > context. `usual` are the defaults.
AttentionRule read_attention(OptionReader& reader, const std::vector<AttentionKind>& kinds, int64_t context,
                             const AttentionRule& usual = {});

// softmax, with `alibi` as its only option.
AttentionRule read_softmax_attention(OptionReader& reader);

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

// q, k, v [B, T, d] with d = H·d_h -> [B, T, d]. Tells the step's observer.
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads, CausalBias& bias,
                  const AttentionStep& step);

}  // namespace bitsweep::nn
