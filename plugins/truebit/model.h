// truebit: the strict ±1 model (nn/strict_stack.h) without latents. Its weights, embedding and head are bits from the
// first step on; a flip rule trains them (nn/flip_rule.h). Thresholds, output bias and logit scale are floats, as in
// v57.
#pragma once

#include <vector>

#include "nn/bit_linear.h"
#include "nn/flip_rule.h"
#include "nn/strict_stack.h"

namespace bitsweep {

struct TruebitOptions : nn::StrictOptions {
  nn::FlipOptions flip;
};

class Truebit final : public nn::StrictStack<nn::BitLinear, nn::BitEmbedding, nn::BitHead> {
 public:
  Truebit(const TruebitOptions& options, int64_t vocab);
  void update(const nn::StepContext& context) override;
  // flip_fraction, the same by layer, and state_bytes_per_weight.
  std::vector<nn::Metric> metrics() override;
  std::vector<MetricKind> metric_kinds() const override;

 private:
  nn::FlipOptions flip_;
  std::vector<nn::FlipRule> rules_;
};

}  // namespace bitsweep
