// The linears of BitNet (nn/bitnet_linear.h): rows of 8 bits with codes of {−1, 0, 1} or ±1 and one scale a matrix,
// exact in integers. Back, dX is looked up with the codes, and dW a product of floats.
#pragma once

#include <array>
#include <vector>

#include "engine/bit_weight.h"
#include "engine/linear_part.h"
#include "kernels/byte_products.h"
#include "kernels/ternary_products.h"

namespace bitsweep::engine {

class ByteLinears final : public LinearPart {
 public:
  ByteLinears(const EnginePlan& plan, const Workers& workers, Meter* meter, GradientProducts& products);

  void pack(const StepTensors& tensors, bool trains) override;
  void reserve(int64_t rows, bool trains) override;
  int64_t bytes() const override;
  void forward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x, float* y) override;
  void backward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x, const float* dy,
                float* dx, bool add) override;

 private:
  struct Coded {
    kernels::CodeMatrix codes;
    BitWeight signs;              // of codes that are ±1, for the way back
    kernels::TernaryIndex index;  // of others, likewise
    float scale = 0;
  };
  struct Rows {
    kernels::ByteRows bytes;         // of what this linear reads, or of the one before
    kernels::Buffer<float> inverse;  // of the norm inside, 1/RMS [rows]
  };

  bool binary() const { return plan_.weights == Weights::binary; }
  bool normed(LinearPlace place) const { return plan_.norms.inside[place]; }
  // Whose bytes a linear reads: those that read the same, without a norm of their own, share them.
  LinearPlace reads_of(LinearPlace place) const;
  Rows& rows_of(LinearAt at) { return rows_[at.layer % rows_.size()][reads_of(at.place)]; }
  const Coded& coded(LinearAt at) const { return coded_[at.layer][at.place]; }

  void pack_linear(const LinearTensors& linear, LinearAt at, bool trains);
  void code(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x);
  void weight_backward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* dy);
  void input_backward(const StepPass& pass, LinearAt at, const float* dy, float* dx, bool add);
  void norm_backward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x, float* dx,
                     bool add);

  std::vector<std::array<Coded, kLinears>> coded_;  // of each layer
  std::vector<std::array<Rows, kLinears>> rows_;
  kernels::Buffer<float> row_means_;  // of a weight
  kernels::Buffer<float> weight_;     // its codes as floats
  kernels::Buffer<float> values_;     // of rows as floats, [rows, the wider of d and d_ff]: inputs, or scaled dY
  kernels::Buffer<float> inner_;      // where norms are inside: the gradient of what one gives, likewise
  kernels::Buffer<float> gain_sums_;
};

}  // namespace bitsweep::engine
