// y = (x · sign(W)ᵀ) ⊙ α − threshold of floats x (nn/alpha_linear.h), by look-up; of the gradients, dW alone is a
// product of floats with floats.
#pragma once

#include <array>
#include <vector>

#include "engine/bit_weight.h"
#include "engine/linear_part.h"

namespace bitsweep::engine {

class ChannelLinears final : public LinearPart {
 public:
  ChannelLinears(const EnginePlan& plan, const Workers& workers, Meter* meter, GradientProducts& products);

  void pack(const StepTensors& tensors, bool trains) override;
  void reserve(int64_t rows, bool trains) override;
  int64_t bytes() const override;
  void forward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x, float* y) override;
  void backward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x, const float* dy,
                float* dx, bool add) override;

 private:
  struct Packed {
    BitWeight signs;
    kernels::Buffer<float> means;  // of |W|, [outputs]
  };
  const Packed& packed(LinearAt at) const { return packed_[at.layer][at.place]; }
  const float* scales_of(const StepTensors& tensors, LinearAt at) const;
  void weight_backward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x, const float* dy);
  void scale_gradient(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* dy);

  std::vector<std::array<Packed, kLinears>> packed_;  // of each layer
  kernels::Buffer<float> product_;                    // of a weight, dYᵀ·x before its scale
  kernels::Buffer<float> scaled_;                     // dY ⊙ α, [rows, the widest outputs]
};

}  // namespace bitsweep::engine
