#include "train/evaluate.h"

#include <algorithm>
#include <numbers>

#include <ATen/ATen.h>

namespace bitsweep::train {

at::Tensor window_buffer(int64_t count, int64_t window_tokens, c10::Device device, data::TokenWidth width) {
  const at::ScalarType type = width == data::TokenWidth::byte ? at::kByte : at::kInt;
  return at::empty({count, window_tokens + 1}, at::TensorOptions(type).pinned_memory(device.is_cuda()));
}

data::TokenSpan tokens_of(const at::Tensor& buffer) {
  const auto count = static_cast<size_t>(buffer.numel());
  if (buffer.scalar_type() == at::kByte) return std::span(buffer.mutable_data_ptr<uint8_t>(), count);
  return std::span(buffer.mutable_data_ptr<int32_t>(), count);
}

TokenBatch to_device(const at::Tensor& windows, c10::Device device) {
  const int64_t tokens = windows.size(1) - 1;
  // One copy of narrow tokens to the device; they become int64 there.
  const at::Tensor narrow = windows.to(device, /*non_blocking=*/device.is_cuda(), /*copy=*/false);
  return {.inputs = narrow.narrow(1, 0, tokens).to(at::kLong).contiguous(),
          .targets = narrow.narrow(1, 1, tokens).to(at::kLong).reshape({-1})};
}

namespace {

// Sums over answers, on the windows' device until they are read.
class AnswerMeter {
 public:
  explicit AnswerMeter(c10::Device device)
      : right_(at::zeros({}, at::TensorOptions(device).dtype(at::kLong))),
        nats_(at::zeros({}, at::TensorOptions(device).dtype(at::kDouble))) {}

  // `places` into the targets, [B * T], and their scores.
  void add(const std::vector<int64_t>& places, const TokenScores& scores, const at::Tensor& targets) {
    if (places.empty()) return;
    const auto n = static_cast<int64_t>(places.size());
    const at::Tensor at_places = at::empty({n}, at::kLong);
    std::copy(places.begin(), places.end(), at_places.mutable_data_ptr<int64_t>());
    const at::Tensor index = at_places.to(targets.device());  // [n]
    right_ += scores.likeliest.index_select(0, index).eq(targets.index_select(0, index)).sum();
    nats_ += scores.nats.index_select(0, index).sum(at::kDouble);
    count_ += n;
  }

  std::optional<AnswerScore> score() const {
    if (count_ == 0) return std::nullopt;
    const auto count = static_cast<double>(count_);
    return AnswerScore{.accuracy = static_cast<double>(right_.item<int64_t>()) / count,
                       .loss_bits = nats_.item<double>() / count / std::numbers::ln2};
  }

 private:
  at::Tensor right_, nats_;
  int64_t count_ = 0;
};

// The targets of windows [first, first + n) with those that do not count left out.
at::Tensor counted_targets(const data::ValidationWindows& windows, int64_t first, int64_t n, int64_t window_tokens,
                           const at::Tensor& targets) {
  if (windows.all_count()) return targets;
  const at::Tensor left_out = at::ones({n, window_tokens}, at::kBool);
  for (int64_t w = 0; w < n; ++w) {
    for (const data::ScoredTargets& run : windows.scored(first + w))
      left_out.select(0, w).narrow(0, run.from, run.to - run.from).fill_(false);
  }
  return targets.masked_fill(left_out.reshape({-1}).to(targets.device()), kIgnoredTarget);
}

// `nats` [windows]: of each window in turn, in parts as they were scored.
WindowSpread spread_of(const std::vector<at::Tensor>& nats, const data::ValidationWindows& windows) {
  if (nats.empty()) return {};
  const at::Tensor bits = at::cat(nats).to(at::kCPU).div_(std::numbers::ln2);
  std::vector<int64_t> bytes;
  for (int64_t w = 0; w < windows.count(); ++w) bytes.push_back(windows.target_bytes(w, 1));
  return window_spread(std::span(bits.const_data_ptr<double>(), bytes.size()), bytes);
}

}  // namespace

Validation validate(nn::Model& model, const data::ValidationWindows& windows, int64_t window_tokens, int64_t batch,
                    const nn::StepContext& context, c10::Device device, Precision precision) {
  const at::NoGradGuard no_grad;
  const int64_t count = windows.count();
  at::Tensor nats = at::zeros({}, at::TensorOptions(device).dtype(at::kDouble));
  std::vector<at::Tensor> window_nats;
  AnswerMeter answers(device);
  for (int64_t first = 0; first < count; first += batch) {
    const int64_t n = std::min(batch, count - first);
    const at::Tensor buffer = window_buffer(n, window_tokens, device, windows.width());
    windows.fill(first, n, tokens_of(buffer));
    TokenBatch tokens = to_device(buffer, device);
    tokens.targets = counted_targets(windows, first, n, window_tokens, tokens.targets);
    const TokenScores scores = token_scores(model, tokens, context, precision, windows.have_answers());
    nats += scores.nats.sum(at::kDouble);
    window_nats.push_back(scores.nats.reshape({n, window_tokens}).sum(/*dim=*/1, /*keepdim=*/false, at::kDouble));
    if (windows.have_answers()) answers.add(windows.answers(first, n), scores, tokens.targets);
  }
  const double bits = nats.item<double>() / std::numbers::ln2;
  return {.bits_per_byte = bits / static_cast<double>(windows.target_bytes(0, count)),
          .bits_per_token = bits / static_cast<double>(windows.targets(0, count)),
          .answers = answers.score(),
          .spread = spread_of(window_nats, windows)};
}

}  // namespace bitsweep::train
