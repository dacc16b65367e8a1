// The products of a backward pass: of a linear's output gradient with its weight, where that is ±1, and with its input,
// which is ±1 or floats. By look-up (kernels/table_products.h), or by multiply-adds; with signs, where asked, of
// gradients rounded to integers (kernels/quantized_products.h).
#pragma once

#include <cstdint>
#include <optional>

#include "engine/meter.h"
#include "engine/plan.h"
#include "kernels/float_products.h"
#include "kernels/quantized_products.h"

namespace bitsweep::engine {

// The gradient dY of what a linear or the head puts out.
struct OutputGradient {
  const char* block;
  const float* values;  // [rows, outputs]
  int64_t rows, outputs;
  int64_t first_row;               // of the pass, which the input's are numbered by
  uint64_t weight_key, input_key;  // of its roundings for dW and for dX
};

class GradientProducts {
 public:
  // All outlive it.
  GradientProducts(const EnginePlan& plan, const Workers& workers, Meter* meter);

  // What dY is rounded to, f32 until something is said; and room for the rounding of passes of so many rows.
  void round(std::optional<kernels::QuantizedKind> kind);
  void reserve(int64_t rows);
  int64_t bytes() const { return rounded_.allocated() + inputs_.allocated() + weight_.allocated(); }

  // place: a LinearPlace, or kLinears for the head, of which there may be parts of the rows.
  OutputGradient gradient(const StepPass& pass, size_t layer, uint8_t place, const float* values, int64_t first_row,
                          int64_t rows) const;

  // gradient [outputs, inputs] (= or +=) dYᵀ · x, x [rows, inputs] given as its transposed signs, or as floats of the
  // same rows.
  void weight(const OutputGradient& dy, const kernels::SignBits& transposed, float* gradient, bool add);
  void weight(const OutputGradient& dy, const float* x, int64_t inputs, float* gradient, bool add) const;
  // Any product of floats with floats, of `rows` rows, forward too.
  void multiply(const char* block, bool backward, const kernels::FloatProduct& product, int64_t rows) const;
  // dx [rows, inputs] (= or +=) dY · W.
  void input(const OutputGradient& dy, const BitWeight& weight, float* dx, bool add);

  // Where gradients are rounded, before `weight`, once for all linears that read the same: an index is made of rows
  // [first_row, first_row + rows) of their input.
  void index_inputs(const char* block, const kernels::SignBits& transposed, int64_t first_row, int64_t rows);

 private:
  void rounded_weight(const OutputGradient& dy, float* gradient, bool add);
  void rounded_input(const OutputGradient& dy, const BitWeight& weight, float* dx, bool add);
  void rounded_product(const char* block, const kernels::FloatRows& a, uint64_t key,
                       const kernels::QuantizedIndex& index, float* c, bool add);

  const EnginePlan& plan_;
  const Workers& workers_;
  Meter* meter_;
  std::optional<kernels::QuantizedKind> kind_;
  int64_t reserved_rows_ = 0;
  // One linear after the other has its own here: each is looked up once.
  kernels::QuantizedRows rounded_;           // of dY [rows, outputs] for dX, and of its transposed for dW
  kernels::QuantizedIndex inputs_, weight_;  // of the linear's input [rows, inputs], and of its weight
};

}  // namespace bitsweep::engine
