#include "train/evaluate.h"

#include <algorithm>
#include <numbers>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"

namespace bitsweep {

at::Tensor window_buffer(int64_t count, int64_t window_tokens, c10::Device device) {
  return at::empty({count, window_tokens + 1}, at::TensorOptions(at::kByte).pinned_memory(device.is_cuda()));
}

TokenBatch to_device(const at::Tensor& windows, c10::Device device) {
  const int64_t tokens = windows.size(1) - 1;
  // One copy of bytes to the device; they become int64 there.
  const at::Tensor bytes = windows.to(device, /*non_blocking=*/device.is_cuda(), /*copy=*/false);
  return {.inputs = bytes.narrow(1, 0, tokens).to(at::kLong).contiguous(),
          .targets = bytes.narrow(1, 1, tokens).to(at::kLong).reshape({-1})};
}

at::Tensor token_nats(Model& model, const TokenBatch& batch, const StepContext& context, Precision precision,
                      bool mean) {
  at::Tensor logits;
  {
    const PrecisionScope scope(batch.inputs.device().type(), precision);
    logits = model.forward(batch.inputs, context);
  }
  if (logits.dim() != 3 || logits.size(0) != batch.inputs.size(0) || logits.size(1) != batch.inputs.size(1))
    throw Error(ErrorKind::failed,
                fmt::format("the model returned logits of shape [{}] for tokens of shape [{}]: expected "
                            "[B, T, V]",
                            fmt::join(logits.sizes(), ", "), fmt::join(batch.inputs.sizes(), ", ")));
  return at::cross_entropy_loss(logits.to(at::kFloat).reshape({-1, logits.size(2)}), batch.targets, {},
                                mean ? at::Reduction::Mean : at::Reduction::None);
}

double validation_bits_per_byte(Model& model, const ValidationWindows& windows, int64_t window_tokens, int64_t batch,
                                const StepContext& context, c10::Device device, Precision precision) {
  const at::NoGradGuard no_grad;
  const int64_t count = windows.count();
  at::Tensor nats = at::zeros({}, at::TensorOptions(device).dtype(at::kDouble));
  for (int64_t first = 0; first < count; first += batch) {
    const int64_t n = std::min(batch, count - first);
    const at::Tensor bytes = window_buffer(n, window_tokens, device);
    windows.fill(first, n, {bytes.mutable_data_ptr<uint8_t>(), static_cast<size_t>(bytes.numel())});
    nats += token_nats(model, to_device(bytes, device), context, precision, /*mean=*/false).sum(at::kDouble);
  }
  return nats.item<double>() / static_cast<double>(count * window_tokens) / std::numbers::ln2;
}

}  // namespace bitsweep
