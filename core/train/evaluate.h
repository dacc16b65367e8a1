// Validation: bits per byte on the dataset's fixed windows.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "data/dataset.h"
#include "nn/model.h"
#include "train/precision.h"

namespace bitsweep {

// Windows of bytes on a device, split into what the model reads and what it is to say.
struct TokenBatch {
  at::Tensor inputs;   // [B, T] int64
  at::Tensor targets;  // [B * T] int64: the token after each input
};

// A buffer for `count` windows, [count, window_tokens + 1] uint8 on the CPU; pinned for a GPU, so that its copy need
// not wait for the steps before. Take a new one for each batch: LibTorch hands a pinned one out again only after its
// copy is done.
at::Tensor window_buffer(int64_t count, int64_t window_tokens, c10::Device device);

// `windows` [B, T + 1] uint8 on the CPU.
TokenBatch to_device(const at::Tensor& windows, c10::Device device);

// Cross-entropy in nats of each token, f32 [B * T], or their mean (a scalar) with `mean`. Throws Error{failed} when the
// model's logits are not [B, T, V].
at::Tensor token_nats(Model& model, const TokenBatch& batch, const StepContext& context, Precision precision,
                      bool mean);

// Mean over all windows in bits per byte (one token is one byte), summed in double. `batch` windows at a time.
double validation_bits_per_byte(Model& model, const ValidationWindows& windows, int64_t window_tokens, int64_t batch,
                                const StepContext& context, c10::Device device, Precision precision);

}  // namespace bitsweep
