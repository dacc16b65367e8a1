// What the steps of models whose activations are signs have in common: their packed weights, attention on bits, and
// the ends of their linears.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/attention_part.h"
#include "engine/engine.h"

namespace bitsweep::engine {

class BitEngine : public Engine {
 protected:
  BitEngine(const EnginePlan& plan, const Workers& workers, Meter* meter);

  void pack_layers(const StepTensors& tensors, bool trains) final;
  int64_t held_bytes() const final;
  // Of a residual's kind: what comes with the signs of a linear, and what its rows hold.
  virtual void pack_linear(const LinearTensors& linear, size_t layer, LinearPlace place) = 0;
  virtual int64_t row_bytes() const = 0;

  const BitWeight& weight(size_t layer, LinearPlace place) const { return weights_[layer][place]; }
  // The signs of a linear's output, whose input is floats [rows, inputs] and is looked up, and where it is clipped.
  // scales [outputs]; sums has room for [rows, outputs].
  void look_up_signs(const StepTensors& tensors, const StepPass& pass, size_t layer, LinearPlace place, const float* in,
                     const float* scales, float* sums, kernels::SignBits& sign, kernels::SignBits* inside) const;
  // Sums over the rows of a linear's output gradient, and where it is clipped: kernels/strict_ends.h.
  void end_backward(const StepTensors& tensors, const StepPass& pass, size_t layer, LinearPlace place,
                    const float* gradient, const kernels::SignBits* inside, const kernels::SignBits* factor,
                    float scale, float* out) const;
  void transpose_rows(const char* block, const StepPass& pass, const kernels::SignBits& in,
                      kernels::SignBits& out) const;

  AttentionPart attention_;

 private:
  std::vector<std::array<BitWeight, kLinears>> weights_;  // of each layer
};

}  // namespace bitsweep::engine
