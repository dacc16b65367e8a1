// Validation: bits per byte on the dataset's fixed windows, and on an induction task how many answers are right.
#pragma once

#include <cstdint>
#include <optional>

#include <ATen/core/Tensor.h>

#include "data/dataset.h"
#include "nn/model.h"
#include "train/precision.h"
#include "train/token_loss.h"
#include "train/window_spread.h"

namespace bitsweep::train {

// A buffer for `count` windows, [count, window_tokens + 1] uint8 or int32 on the CPU; pinned for a GPU, so that its
// copy need not wait for the steps before. Take a new one for each batch: LibTorch hands a pinned one out again only
// after its copy is done.
at::Tensor window_buffer(int64_t count, int64_t window_tokens, c10::Device device, data::TokenWidth width);

// What a dataset fills such a buffer through.
data::TokenSpan tokens_of(const at::Tensor& buffer);

// `windows` [B, T + 1] uint8 or int32 on the CPU.
TokenBatch to_device(const at::Tensor& windows, c10::Device device);

// Of the answers in the windows of an induction task (data/induction.h).
struct AnswerScore {
  double accuracy = 0;   // fraction whose largest logit is the answer's
  double loss_bits = 0;  // mean, bits per answer
};

struct Validation {
  double bits_per_byte = 0;            // mean over the bytes of all targets that count, summed in double
  double bits_per_token = 0;           // the same over those targets
  std::optional<AnswerScore> answers;  // where the windows hold any
  WindowSpread spread;
};

// `batch` windows at a time.
Validation validate(nn::Model& model, const data::ValidationWindows& windows, int64_t window_tokens, int64_t batch,
                    const nn::StepContext& context, c10::Device device, Precision precision);

}  // namespace bitsweep::train
