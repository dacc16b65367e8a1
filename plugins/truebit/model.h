// truebit: the strict ±1 model (nn/strict_stack.h) without latents. Its weights, embedding and head are bits from the
// first step on; a flip rule trains them (nn/flip_rule.h). Thresholds, output bias and logit scale are floats, as in
// v57.
#pragma once

#include <vector>

#include "nn/bit_linear.h"
#include "nn/flip_rule.h"
#include "nn/strict_stack.h"

namespace bitsweep {

struct TruebitOptions : StrictOptions {
  FlipOptions flip;
};

class Truebit final : public StrictStack<BitLinear, BitEmbedding, BitHead> {
 public:
  Truebit(const TruebitOptions& options, int64_t vocab);
  void update(const StepContext& context) override;
  // flip_fraction, the same by layer, and state_bytes_per_weight.
  std::vector<Metric> metrics() override;

 private:
  FlipOptions flip_;
  std::vector<FlipRule> rules_;
};

}  // namespace bitsweep
