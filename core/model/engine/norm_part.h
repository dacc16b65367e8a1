// The norms of a residual of floats, forward and back: RMSNorm (nn/rms_norm.h) of rows of d_model numbers.
#pragma once

#include <cstdint>

#include "engine/meter.h"
#include "engine/plan.h"
#include "engine/workers.h"

namespace bitsweep::engine {

class NormPart {
 public:
  // All outlive it.
  NormPart(const EnginePlan& plan, const Workers& workers, Meter* meter)
      : plan_(plan), workers_(workers), meter_(meter) {}

  // Room for passes of so many rows.
  void reserve(int64_t rows, bool trains);
  int64_t bytes() const { return inverse_.bytes() + gain_sums_.bytes(); }

  // out [rows, d_model]. backward: made again, on the way back.
  void forward(const StepPass& pass, bool backward, const float* x, const TrainedFloats& gain, float* out) const;
  // From the gradient of what was made last, of x, its gain's, and that of x: to += it, or = where nothing is there.
  // The gradient is used up.
  void backward(const StepTensors& tensors, const StepPass& pass, const float* x, const TrainedFloats& gain,
                float* gradient, float* to, bool add) const;

 private:
  const EnginePlan& plan_;
  const Workers& workers_;
  Meter* meter_;
  kernels::Buffer<float> inverse_;    // 1/RMS of the rows made last
  kernels::Buffer<float> gain_sums_;  // [d_model]
};

}  // namespace bitsweep::engine
