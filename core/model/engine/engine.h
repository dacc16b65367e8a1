// The whole training step of a model: forward, loss, and the gradients of every weight, latent, threshold, scale, gain
// and bias, without LibTorch's operations and without autograd. Products with a ±1 matrix are popcounts or look-ups,
// others multiply-adds (kernels/). Values and gradients mean what the blocks' do (nn/), and every sum has one order:
// results depend on no library, no instruction set and no number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engine/gradient_products.h"
#include "engine/head_part.h"
#include "engine/meter.h"
#include "engine/plan.h"

namespace bitsweep::engine {

class Engine {
 public:
  // Why there is none for such a model, in a clause ("d_ff is 40000, and counts go up to 32766"); empty: there is one.
  static std::string refusal(const EnginePlan& plan);
  // `workers` and `meter` (or null) outlive it.
  static std::unique_ptr<Engine> make(const EnginePlan& plan, const Workers& workers, Meter* meter);

  virtual ~Engine() = default;

  // From the next pass on; the plan's as long as nothing else is said. train() then takes passes of up to
  // kernels::kMostQuantizedDepth rows, and so many symbols.
  void round_gradients(std::optional<kernels::QuantizedKind> kind) { products_.round(kind); }

  // Before the first pass, and whenever weights have changed: makes of them what products want, for scoring alone or
  // for both.
  void pack(const StepTensors& tensors, bool trains);

  // The sum of the targets' nats, of a forward and backward pass with the loss `weight` · that sum.
  double train(const StepTensors& tensors, const StepPass& pass, float weight);
  // nats [rows], 0 where not scored, and the first of each row's largest logits, likeliest [rows].
  void score(const StepTensors& tensors, const StepPass& pass, float* nats, int64_t* likeliest);

  // What it has allocated; engine_bytes.h says it beforehand.
  int64_t bytes() const { return held_bytes() + products_.bytes() + head_.bytes(); }

 protected:
  Engine(const EnginePlan& plan, const Workers& workers, Meter* meter);

  virtual void pack_layers(const StepTensors& tensors, bool trains) = 0;
  // Rows of a pass, from which smaller ones take the first; of scoring, one layer's serve all.
  virtual void allocate(int64_t rows, bool trains) = 0;
  virtual int64_t held_bytes() const = 0;
  // Up to what the head reads; and the products of its rows [first, first + rows) with the codebook.
  virtual void forward(const StepTensors& tensors, const StepPass& pass) = 0;
  virtual void dots(const StepTensors& tensors, int64_t first, int64_t rows, float* out) = 0;
  // From the gradient of such products that of the codebook, and of what the head reads; of that, of the residual; and
  // through a layer.
  virtual void head_backward(const StepTensors& tensors, const StepPass& pass, const OutputGradient& dy, bool add) = 0;
  virtual void residual_backward(const StepTensors& tensors, const StepPass& pass) = 0;
  virtual void layer_backward(const StepTensors& tensors, const StepPass& pass, size_t layer) = 0;
  virtual const float* residual_gradient() const = 0;  // [rows, d_model]

  EnginePlan plan_;
  const Workers& workers_;
  Meter* meter_;
  GradientProducts products_;
  HeadPart head_;

 private:
  void reserve(const StepPass& pass, bool trains);
  void layers_backward(const StepTensors& tensors, const StepPass& pass);

  int64_t reserved_rows_ = 0;
  bool trains_ = false;  // so are the rows that there are
};

}  // namespace bitsweep::engine
