// The C++ side of a plugin: the model the worker trains. Shared by core/train and every plugin; bound by the build id.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

namespace bitsweep {

// Where in a run a forward pass stands. Noise and anneals depend on this alone, so a resumed run repeats them.
struct StepContext {
  bool training = false;
  int64_t step = 0;         // from 0
  int64_t total_steps = 1;
  at::Generator noise;      // seeded by the trainer from (seed, step, micro-batch); undefined in evaluation
  double progress() const {
    return total_steps > 1 ? static_cast<double>(step) / static_cast<double>(total_steps - 1) : 1.0;
  }
};

// One trained tensor. Names are dotted paths ("layers.0.q.weight") and unique; freeze patterns match them.
struct Parameter {
  std::string name;
  at::Tensor tensor;   // requires_grad, contiguous f32
  bool decay = true;   // weight decay applies (matrices yes; thresholds, norms, biases, scales no)
};

// A plugin's model. Not thread-safe. Throws bitsweep::Error{input} for bad options at construction.
class Model {
 public:
  virtual ~Model() = default;

  // tokens [B, T] int64 on the parameters' device -> logits [B, T, V] in f32 (or bf16 under autocast).
  virtual at::Tensor forward(const at::Tensor& tokens, const StepContext& context) = 0;

  // In a fixed order. The tensors are the model's own: an optimizer updates them in place.
  const std::vector<Parameter>& parameters() const { return parameters_; }

  // Moves every parameter (once, before training).
  virtual void to(at::Device device);

 protected:
  // Registers a trained tensor and returns the handle to keep. Blocks call it through ParameterSink (nn/module.h).
  at::Tensor add_parameter(std::string name, at::Tensor initial, bool decay = true);

 private:
  friend class ParameterSink;
  std::vector<Parameter> parameters_;
};

}  // namespace bitsweep
