// A model's whole training step by other means than its blocks and autograd (room engine). Where a model has one for
// its options, the trainer takes it on a CPU in f32; else, and for all that looks into a model, the blocks run.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include <ATen/core/Tensor.h>

#include "nn/model.h"

namespace bitsweep::nn {

// What the gradients of the outputs of 1-bit linears and of the ±1 head are rounded to, where the backward pass
// multiplies them: not at all; to the nearest of int16; to 6 bits by chance, without bias. Each row of a product has
// its scale (kernels/quantized_rows.h).
enum class Gradients : uint8_t { f32, int16, s6 };

// "int16". Throws Error{input} for another word.
Gradients parse_gradients(std::string_view word);

class StepEngine {
 public:
  virtual ~StepEngine() = default;

  // From the next training on; f32 as long as nothing else is said. Rounding by chance depends on where a step stands
  // alone (StepContext), and draws nothing from its noise.
  virtual void round_gradients(Gradients gradients) = 0;

  // Forward and backward over inputs [B, T] and targets [B · T], int64 on the CPU, a target below 0 not being scored.
  // Returns the sum of the targets' nats, and adds weight times its gradient to those of the parameters that want one.
  // Throws Error{input} for more tokens than rounded gradients may have.
  virtual double train(const at::Tensor& inputs, const at::Tensor& targets, const StepContext& context,
                       double weight) = 0;

  // Forward alone: nats [B · T] f32, 0 where not scored, and likeliest [B · T] int64, the first of the largest logits.
  struct Scores {
    at::Tensor nats, likeliest;
  };
  virtual Scores score(const at::Tensor& inputs, const at::Tensor& targets, const StepContext& context) = 0;

  // Of memory beside the parameters and their gradients.
  virtual int64_t bytes() const = 0;
};

// Why no engine serves inputs on this device, whatever the model, in a clause ("device cuda:0"); empty: one may. Asked
// of this thread's kernels too (kernel_for.h): who forces the composition gets none.
std::string no_engine_on(c10::Device device);

// The engine that serves `model` for these inputs in f32, unobserved. Null: the blocks run.
StepEngine* engine_for(Model& model, const at::Tensor& inputs, const StepContext& context);

}  // namespace bitsweep::nn
