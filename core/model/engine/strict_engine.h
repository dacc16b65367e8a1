// The step of a strict ±1 model (nn/strict_stack.h): between its blocks there are sign bits alone, forward; every sum
// of its linears is an integer.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/bit_engine.h"
#include "engine/strict_rows.h"
#include "kernels/bit_products.h"

namespace bitsweep::engine {

class StrictEngine final : public BitEngine {
 public:
  StrictEngine(const EnginePlan& plan, const Workers& workers, Meter* meter);

 private:
  void allocate(int64_t rows, bool trains) override;
  int64_t row_bytes() const override { return rows_.bytes() + gradients_.bytes(); }
  void pack_linear(const LinearTensors& linear, size_t layer, LinearPlace place) override;
  void forward(const StepTensors& tensors, const StepPass& pass) override;
  void dots(const StepTensors& tensors, int64_t first, int64_t rows, float* out) override;
  void head_backward(const StepTensors& tensors, const StepPass& pass, const OutputGradient& dy, bool add) override;
  void residual_backward(const StepTensors&, const StepPass&) override {}  // the head reads the residual itself
  void layer_backward(const StepTensors& tensors, const StepPass& pass, size_t layer) override;
  const float* residual_gradient() const override { return gradients_.residual.data(); }

  StrictLayerRows& rows_of(size_t layer) { return rows_.layers[layer % rows_.layers.size()]; }
  kernels::SignBits* inside_of(size_t layer, LinearPlace place);  // null: gradients are not clipped
  void linear(const StepPass& pass, size_t layer, LinearPlace place, const kernels::SignBits& x,
              kernels::SignBits& sign);
  // From the gradient of a linear's output, which may be `dy` itself and is multiplied by `factor` first (null: by 1),
  // that of what comes before its sign and scale; from it, and the transposed input, or where it is floats `mixed`, its
  // weight's and its input's.
  void linear_backward(const StepTensors& tensors, const StepPass& pass, size_t layer, LinearPlace place,
                       const float* gradient, const kernels::SignBits* factor, float* dy,
                       const kernels::SignBits& transposed, float* dx, bool add);

  std::vector<std::array<kernels::EndLimits, kLinears>> limits_;  // of each layer
  StrictRows rows_;
  StrictGradientRows gradients_;
};

}  // namespace bitsweep::engine
