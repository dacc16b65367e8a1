// The linears of a model whose activations are floats, by what their weights are: [rows, inputs] -> [rows, outputs] and
// back.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/gradient_products.h"
#include "engine/meter.h"
#include "engine/plan.h"
#include "engine/workers.h"

namespace bitsweep::engine {

// Which of a model's linears.
struct LinearAt {
  size_t layer;
  LinearPlace place;
  const char* block() const { return block_of(place); }
};

class LinearPart {
 public:
  // All outlive it.
  LinearPart(const EnginePlan& plan, const Workers& workers, Meter* meter, GradientProducts& products)
      : plan_(plan), workers_(workers), meter_(meter), products_(products) {}
  static std::unique_ptr<LinearPart> make(const EnginePlan& plan, const Workers& workers, Meter* meter,
                                          GradientProducts& products);
  virtual ~LinearPart() = default;

  // Before the first pass, and whenever weights have changed.
  virtual void pack(const StepTensors& tensors, bool trains) = 0;
  // Room for passes of so many rows; of scoring, one layer's serves all.
  virtual void reserve(int64_t rows, bool trains) = 0;
  virtual int64_t bytes() const = 0;

  // y of x. q, k and v come in this order, and so do gate and up.
  virtual void forward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x, float* y) = 0;
  // From the gradient of y those of the linear's tensors, and dx (= or +=). x as it was forward.
  virtual void backward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x, const float* dy,
                        float* dx, bool add) = 0;

 protected:
  static const LinearTensors& tensors_of(const StepTensors& tensors, LinearAt at) {
    return tensors.layers[at.layer].linears[at.place];
  }

  const EnginePlan& plan_;
  const Workers& workers_;
  Meter* meter_;
  GradientProducts& products_;
};

}  // namespace bitsweep::engine
