// What a model's predictions cost, token by token, and the gradients of that.
//
// Where the model parts into trunk and head and its vocabulary is large (nn/head_rows.h), the logits never stand all at
// once: of a part of the rows at a time, head, loss and backward pass into a detached copy of what the head read; then
// one backward pass of the trunk from the gradients collected. It is the same loss and the same gradient, summed in
// another order. LibTorch's own autograd does it, so any head may be parted, signs too.
#pragma once

#include <cstdint>
#include <optional>

#include <ATen/core/Tensor.h>

#include "nn/model.h"
#include "plugin/describe.h"
#include "train/precision.h"

namespace bitsweep::train {

// A target that is not scored: its nats are 0, and it has no gradient.
inline constexpr int64_t kIgnoredTarget = -100;

// Windows of tokens on a device, split into what the model reads and what it is to say.
struct TokenBatch {
  at::Tensor inputs;   // [B, T] int64
  at::Tensor targets;  // [B * T] int64: the token after each input, or kIgnoredTarget
};

// Cross-entropy in nats of each target, f32 [B * T], or their mean over those scored (a scalar) with `mean`. With a
// graph, where gradients are enabled: then all logits stand at once. Throws Error{failed} when the model's logits have
// another shape than [B, T, V].
at::Tensor token_nats(nn::Model& model, const TokenBatch& batch, const nn::StepContext& context, Precision precision,
                      bool mean);

struct TokenScores {
  at::Tensor nats;       // f32 [B * T]
  at::Tensor likeliest;  // int64 [B * T]: the token with the largest logit; undefined where it was not asked for
};

// Without gradients. Throws as token_nats does.
TokenScores token_scores(nn::Model& model, const TokenBatch& batch, const nn::StepContext& context, Precision precision,
                         bool likeliest);

// What a micro-batch's sum of nats is divided by, so that the micro-batches of a step add up to its mean.
struct LossDivisor {
  int64_t parts = 1;  // micro-batches of the step
  // Scored in the whole step; nothing: as many in every part, so means are averaged. A step of none has the loss 0.
  std::optional<int64_t> targets{};
};

// Runs the micro-batch forward and backward, and adds its share of the step's gradient to the parameters'. Returns its
// loss, a scalar on the device without a graph: the mean of these over the parts is the step's mean nats a target.
// Throws as token_nats does.
at::Tensor loss_and_backward(nn::Model& model, const TokenBatch& batch, const nn::StepContext& context,
                             Precision precision, const LossDivisor& divisor = {});

// What of a model computes that on this thread and device: its engine, or its blocks and why. A model's options, or
// gradients that are rounded, may leave it to its blocks; then `described`, of its plugin's description, says why.
plugin::StepPath step_path(nn::Model& model, c10::Device device, Precision precision,
                           const std::optional<plugin::StepPath>& described);

}  // namespace bitsweep::train
