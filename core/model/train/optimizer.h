// What turns gradients into an update. One implementation a file; a rule without latent weights fits here as well.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "nn/model.h"
#include "spec/run_spec.h"

namespace bitsweep::train {

// A tensor by name. The tensor is a handle: writing into it changes its owner.
struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // One update of every parameter that has a gradient, at rate `lr`. Gradients are first divided by `divisor`, an f32
  // scalar on the parameters' device (from clipping: it stays there, so that a GPU is not waited for); undefined is 1.
  virtual void step(double lr, const at::Tensor& divisor) = 0;

  // Everything that the next step depends on besides parameters and gradients; a checkpoint saves it and restores into
  // it.
  virtual std::vector<NamedTensor> state() = 0;
};

// The optimizer that `train.optimizer` names, over the parameters that require a gradient; each is in exactly one
// group. Throws Error{input} for an unknown name.
std::unique_ptr<Optimizer> make_optimizer(const spec::TrainSpec& train, const std::vector<nn::Parameter>& parameters);

}  // namespace bitsweep::train
