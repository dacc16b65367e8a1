// The step of a model of 1-bit weights in a float residual (nn/alpha_stack.h) whose q, k, v, gate and up are signs:
// v47b, v75, v76. What its norms give is looked up with the weights' signs; o and down read signs themselves, but for a
// mixture of values by rank.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/alpha_rows.h"
#include "engine/bit_engine.h"
#include "engine/norm_part.h"

namespace bitsweep::engine {

class AlphaEngine final : public BitEngine {
 public:
  AlphaEngine(const EnginePlan& plan, const Workers& workers, Meter* meter);

 private:
  void allocate(int64_t rows, bool trains) override;
  int64_t row_bytes() const override;
  void pack_linear(const LinearTensors& linear, size_t layer, LinearPlace place) override;
  void forward(const StepTensors& tensors, const StepPass& pass) override;
  void dots(const StepTensors& tensors, int64_t first, int64_t rows, float* out) override;
  void head_backward(const StepTensors& tensors, const StepPass& pass, const OutputGradient& dy, bool add) override;
  void residual_backward(const StepTensors& tensors, const StepPass& pass) override;
  void layer_backward(const StepTensors& tensors, const StepPass& pass, size_t layer) override;
  const float* residual_gradient() const override { return gradients_.residual.data(); }

  AlphaLayerRows& rows_of(size_t layer) { return rows_.layers[layer % rows_.layers.size()]; }
  kernels::SignBits* inside_of(size_t layer, LinearPlace place);  // null: gradients are not clipped there
  const float* scales_of(const StepTensors& tensors, size_t layer, LinearPlace place) const;
  void embed(const StepTensors& tensors, const StepPass& pass);
  void norm(const StepPass& pass, bool backward, const float* x, const TrainedFloats& gain) {
    norms_.forward(pass, backward, x, gain, rows_.normed.data());
  }
  const float* keys_input(const StepPass& pass, size_t layer, bool backward);  // normed, or shifted from it
  // Of linears that read floats and give signs; and of those whose output goes to the residual, to = x + y.
  void sign_linear(const StepTensors& tensors, const StepPass& pass, size_t layer, LinearPlace place, const float* in,
                   kernels::SignBits& sign);
  void add_linear(const StepTensors& tensors, const StepPass& pass, size_t layer, LinearPlace place, const float* x,
                  float* to);
  // What a linear that reads signs reads.
  const kernels::SignBits& signs_read(size_t layer, LinearPlace place) {
    return place == kDownLinear ? rows_of(layer).product : rows_of(layer).attended;
  }

  // From the gradient of a linear's output, multiplied by `factor` first (null: by 1), those of its threshold, weight,
  // scale and input (float_input, or what signs_read says). `values` becomes the output's before its sign; it may be
  // the gradient itself.
  struct LinearBackward {
    LinearPlace place;
    const float* gradient;
    const kernels::SignBits* factor = nullptr;
    float* values;
    const float* float_input = nullptr;
    float* dx;
    bool add = false;  // to dx
  };
  void linear_backward(const StepTensors& tensors, const StepPass& pass, size_t layer, const LinearBackward& of);
  void weight_backward(const StepTensors& tensors, const StepPass& pass, size_t layer, const LinearBackward& of,
                       const OutputGradient& dy);
  // From gradients_.normed, through the norm of x that was made last, to the residual's.
  void norm_backward(const StepTensors& tensors, const StepPass& pass, const float* x, const TrainedFloats& gain,
                     bool add) {
    norms_.backward(tensors, pass, x, gain, gradients_.normed.data(), gradients_.residual.data(), add);
  }
  void ffn_backward(const StepTensors& tensors, const StepPass& pass, size_t layer);
  void attention_backward(const StepTensors& tensors, const StepPass& pass, size_t layer);
  void keys_backward(const StepTensors& tensors, const StepPass& pass, size_t layer);

  std::vector<std::array<kernels::Buffer<float>, kLinears>> scales_;  // means of |W|, of each layer
  NormPart norms_;
  AlphaRows rows_;
  AlphaGradientRows gradients_;
};

}  // namespace bitsweep::engine
