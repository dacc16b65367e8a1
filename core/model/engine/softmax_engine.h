// The step of a model whose activations are floats (nn/llama_stack.h, and v52 of nn/alpha_stack.h): norms, softmax
// attention, a gated feed-forward block, whatever its linears multiply.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/engine.h"
#include "engine/linear_part.h"
#include "engine/norm_part.h"
#include "engine/softmax_part.h"

namespace bitsweep::engine {

// A layer's rows that its backward pass needs; what norms and the gate give is made again. M rows are all positions of
// a micro-batch.
struct SoftmaxLayerRows {
  SoftmaxLayerRows(const EnginePlan& plan, int64_t rows);
  kernels::Buffer<float> x, middle;  // inputs of its two halves, [M, d]
  SoftmaxAttentionRows attention;
  kernels::Buffer<float> attended;  // what o reads, [M, d]
  kernels::Buffer<float> gate, up;  // [M, d_ff]
  int64_t bytes() const;
};

class SoftmaxEngine final : public Engine {
 public:
  SoftmaxEngine(const EnginePlan& plan, const Workers& workers, Meter* meter);

 private:
  void pack_layers(const StepTensors& tensors, bool trains) override { linears_->pack(tensors, trains); }
  void allocate(int64_t rows, bool trains) override;
  int64_t held_bytes() const override;
  void forward(const StepTensors& tensors, const StepPass& pass) override;
  void dots(const StepTensors& tensors, int64_t first, int64_t rows, float* out) override;
  void head_backward(const StepTensors& tensors, const StepPass& pass, const OutputGradient& dy, bool add) override;
  void residual_backward(const StepTensors& tensors, const StepPass& pass) override;
  void layer_backward(const StepTensors& tensors, const StepPass& pass, size_t layer) override;
  const float* residual_gradient() const override { return gradients_.residual.data(); }

  static constexpr int64_t kGateWork = 8;  // of a number, in steps of workers.h

  SoftmaxLayerRows& rows_of(size_t layer) { return layers_[layer % layers_.size()]; }
  void embed(const StepTensors& tensors, const StepPass& pass);
  void attend(const StepTensors& tensors, const StepPass& pass, size_t layer);
  void feed_forward(const StepTensors& tensors, const StepPass& pass, size_t layer, float* to);
  // What a half of a layer reads of x: its norm, where it has one.
  const float* read(const StepPass& pass, bool backward, const float* x, const TrainedFloats& gain);
  // And back: from the gradient of that, in gradients_.read, to the residual's.
  void read_backward(const StepTensors& tensors, const StepPass& pass, const float* x, const TrainedFloats& gain);
  void gate(const StepPass& pass, bool backward, const SoftmaxLayerRows& rows);  // to inner_
  void gate_backward(const StepPass& pass, const SoftmaxLayerRows& rows);  // from inner to inner_ and gradients' up
  void add_residual(const char* block, bool backward, const StepPass& pass, const float* x, float* to) const;
  void attention_backward(const StepTensors& tensors, const StepPass& pass, size_t layer);
  void ffn_backward(const StepTensors& tensors, const StepPass& pass, size_t layer);

  std::unique_ptr<LinearPart> linears_;
  SoftmaxPart attention_;
  NormPart norms_;
  std::vector<SoftmaxLayerRows> layers_;  // of evaluation: one, which serves all
  kernels::Buffer<float> last_, normed_;  // the residual behind all layers, and what linears and the head read
  kernels::Buffer<float> inner_;          // what down reads; back, the gradient of gate
  struct {
    kernels::Buffer<float> residual, read, attended, query;  // [M, d]
    kernels::Buffer<float> key, value;                       // [M, kv_width]
    kernels::Buffer<float> inner, up;                        // [M, d_ff]
  } gradients_;
};

}  // namespace bitsweep::engine
