// The head and the loss: logits of a part of the rows at a time, what is scored of them, and their gradients.
#pragma once

#include <cstdint>

#include "engine/function_ref.h"
#include "engine/meter.h"
#include "engine/plan.h"
#include "kernels/strict_ends.h"

namespace bitsweep::engine {

// Rows whose logits stand at once.
int64_t logit_part_rows(const EnginePlan& plan, int64_t rows);

class HeadPart {
 public:
  // All outlive it.
  HeadPart(const EnginePlan& plan, const Workers& workers, Meter* meter);

  void pack(const StepTensors& tensors, bool trains);
  void reserve(int64_t rows);
  int64_t bytes() const;
  const BitWeight& codebook() const { return codebook_; }  // packed, where it is signs

  // Writes what rows [first, first + rows) give with the codebook, before scale and bias: [rows, vocab].
  using Dots = FunctionRef<int64_t, int64_t, float*>;
  // nats [rows of the pass], 0 where not scored, and the first of each row's largest logits.
  void score(const StepTensors& tensors, const StepPass& pass, Dots dots, float* nats, int64_t* likeliest) const;

  // Is given the gradient of these dots, [rows, vocab], part after part; add: the codebook's gradient has something.
  using Backward = FunctionRef<int64_t, int64_t, const float*, bool>;
  // The sum of the targets' nats, whose gradient times `weight` goes to bias and scale, and on to `backward`.
  double train(const StepTensors& tensors, const StepPass& pass, float weight, Dots dots, Backward backward) const;

 private:
  // f(first, rows) for part after part, whose dots are in logits_.
  using OfPart = FunctionRef<int64_t, int64_t>;
  void for_each_part(const StepPass& pass, Dots dots, OfPart f) const;
  kernels::LogitRow logit_row(const StepTensors& tensors) const;
  void part_loss(const StepTensors& tensors, const StepPass& pass, int64_t first, int64_t rows, float weight) const;

  const EnginePlan& plan_;
  const Workers& workers_;
  Meter* meter_;
  BitWeight codebook_;
  int64_t part_rows_ = 0;
  kernels::Buffer<float> logits_;      // [part of the rows, vocab]
  kernels::Buffer<double> row_sums_;   // of a part's rows: nats, and the gradients of the scale
  kernels::Buffer<float> no_bias_;     // zeros, of a head without one
  kernels::Buffer<float> spare_bias_;  // where the bias's gradient goes that nobody asks for
};

}  // namespace bitsweep::engine
