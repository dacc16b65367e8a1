// Training losses as they come: their mean since the last evaluation, and the first one that is not finite.
//
// On a GPU a loss is not read when it arrives (that would wait for the device at every step) but in groups.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

namespace bitsweep::train {

class LossMeter {
 public:
  // Losses are read `group` at a time: 1 on a CPU, where reading is free.
  explicit LossMeter(int64_t group) : group_(group) {}

  // The mean loss in nats per token of one micro-batch of step `step` (from 0): a scalar of any device, no gradient.
  void add(int64_t step, const at::Tensor& nats);
  // Reads what is still pending.
  void flush();

  // The first step with a loss that is NaN or infinite, among those read so far.
  std::optional<int64_t> first_non_finite() const { return first_non_finite_; }

  // Mean loss since begin_interval(), NaN without any; flushes.
  double mean_nats();
  void begin_interval();

  // For a checkpoint between two evaluations.
  double sum_nats() const { return sum_nats_; }
  int64_t count() const { return count_; }
  void restore(double sum_nats, int64_t count);

 private:
  int64_t group_;
  std::vector<at::Tensor> pending_;
  std::vector<int64_t> pending_steps_;
  double sum_nats_ = 0;
  int64_t count_ = 0;
  std::optional<int64_t> first_non_finite_;
};

}  // namespace bitsweep::train
