// How many threads room engine may take, and LibTorch's ears for its profile.
#pragma once

#include <memory>
#include <vector>

#include <ATen/record_function.h>

#include "engine/meter.h"
#include "engine/workers.h"
#include "nn/parallel.h"

namespace bitsweep::nn {

class TorchWorkers final : public engine::Workers {
 public:
  int64_t count() const override { return thread_count(); }
};

// Tells each stretch of work as a scope "block:NAME" (block_scope.h), within it whether it is the way back and what it
// computes with (kBackwardMark, kIntegersMark, kProductsOfFloatsMark), and its products (products.h). Costs nothing
// while nobody listens.
class EngineMeter final : public engine::Meter {
 public:
  void begin(const char* block, bool backward, engine::Work work, int64_t multiply_adds) override;
  void end() override;

 private:
  std::vector<std::unique_ptr<at::RecordFunction>> open_;
};

}  // namespace bitsweep::nn
