// LibTorch's threads for room engine, and its ears for the profile.
#pragma once

#include <memory>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/record_function.h>

#include "engine/meter.h"
#include "engine/workers.h"

namespace bitsweep::nn {

class TorchWorkers final : public engine::Workers {
 public:
  int64_t count() const override { return at::in_parallel_region() ? 1 : at::get_num_threads(); }
  void run(int64_t parts, const std::function<void(int64_t)>& f) override {
    at::parallel_for(0, parts, 1, [&](int64_t first, int64_t last) {
      for (int64_t part = first; part < last; ++part) f(part);
    });
  }
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
