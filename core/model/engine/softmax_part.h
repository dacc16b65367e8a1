// The attention of a layer on floats (kernels/softmax_attention.h): positions, and heads that share keys and values.
#pragma once

#include <cstdint>

#include "engine/meter.h"
#include "engine/plan.h"
#include "engine/workers.h"
#include "kernels/softmax_attention.h"

namespace bitsweep::engine {

// What a layer's attention reads, and what its backward pass needs of the forward one.
struct SoftmaxAttentionRows {
  SoftmaxAttentionRows(const EnginePlan& plan, int64_t rows);
  kernels::Buffer<float> query, key, value;  // [rows, d_model] and, of the latter two, [rows, kv_width]
  kernels::Buffer<float> top, inverse;       // [sequences, heads, context]
  int64_t bytes() const { return bytes_of_all(query, key, value, top, inverse); }
};

class SoftmaxPart {
 public:
  // All outlive it.
  SoftmaxPart(const EnginePlan& plan, const Workers& workers, Meter* meter)
      : plan_(plan), workers_(workers), meter_(meter) {}

  // Turns queries and keys where positions do; attended [rows, d_model].
  void forward(const StepPass& pass, const SoftmaxAttentionRows& rows, float* attended) const;
  // From the gradient of what it attended to those of what the linears gave, before they were turned: query
  // [rows, d_model], key and value [rows, kv_width].
  void backward(const StepPass& pass, const SoftmaxAttentionRows& rows, const float* attended, float* query, float* key,
                float* value) const;

 private:
  kernels::FloatHead head_of(const StepPass& pass, const SoftmaxAttentionRows& rows, int64_t sequence,
                             int64_t head) const;
  kernels::SoftmaxRows sums_of(const StepPass& pass, const SoftmaxAttentionRows& rows, int64_t sequence,
                               int64_t head) const;
  void turn(const StepPass& pass, float* x, int64_t heads, bool back) const;
  int64_t products(const StepPass& pass) const;

  const EnginePlan& plan_;
  const Workers& workers_;
  Meter* meter_;
};

}  // namespace bitsweep::engine
