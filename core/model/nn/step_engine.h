// A model's whole training step by other means than its blocks and autograd (room engine). Where a model has one for
// its options, the trainer takes it on a CPU in f32; else, and for all that looks into a model, the blocks run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <ATen/core/Tensor.h>

#include "nn/model.h"

namespace bitsweep::nn {

class StepEngine {
 public:
  virtual ~StepEngine() = default;

  // Forward and backward over inputs [B, T] and targets [B · T], int64 on the CPU, a target below 0 not being scored.
  // Returns the sum of the targets' nats, and adds weight times its gradient to those of the parameters that want one.
  // Rounding by chance depends on where a step stands alone (StepContext), and draws nothing from its noise. Throws
  // Error{input} for more tokens or symbols than rounded gradients may have.
  virtual double train(const at::Tensor& inputs, const at::Tensor& targets, const StepContext& context,
                       double weight) = 0;

  // Forward alone: nats [B · T] f32, 0 where not scored, and likeliest [B · T] int64, the first of the largest logits.
  struct Scores {
    at::Tensor nats, likeliest;
  };
  virtual Scores score(const at::Tensor& inputs, const at::Tensor& targets, const StepContext& context) = 0;

  // Of memory beside the parameters and their gradients.
  virtual int64_t bytes() const = 0;

  // Whether it trains with gradients that are rounded (StepContext::gradients); else blocks do, where they can.
  virtual bool rounds() const = 0;
};

// Of gradients that are rounded by chance in this micro-batch; draws nothing from its noise.
uint64_t rounding_key(const StepContext& context);

// Why no engine serves inputs on this device, whatever the model, in a clause ("device cuda:0"); empty: one may. Asked
// of this thread's kernels too (kernel_for.h): who forces the composition gets none.
std::string no_engine_on(c10::Device device);

// The engine that serves `model` for these inputs in f32, unobserved. Null: the blocks run.
StepEngine* engine_for(Model& model, const at::Tensor& inputs, const StepContext& context);

}  // namespace bitsweep::nn
