// The attention of a layer whose queries, keys and values are sign bits (kernels/bit_attention.h): a hard pointer, a
// vote of the best keys, or their mixture by rank.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/function_ref.h"
#include "engine/meter.h"
#include "engine/plan.h"
#include "kernels/bit_attention.h"

namespace bitsweep::engine {

// What a layer's attention reads and what its backward pass needs of the forward one.
struct AttentionRows {
  AttentionRows(const EnginePlan& plan, int64_t rows);
  kernels::SignBits query, key, value;   // [rows, d_model]
  kernels::Buffer<int32_t> choice;       // [sequences, heads, context, keys or 1]
  kernels::Buffer<float> top;            // of a pointer's choice, its z, [sequences, heads, context]
  kernels::Buffer<float> probabilities;  // of several keys, likewise
  int64_t bytes() const;
};

// f32 [rows, d_model]: of its output, and of what it reads.
struct AttentionGradients {
  const float* output = nullptr;
  float *query = nullptr, *key = nullptr, *value = nullptr;  // written
};

class AttentionPart {
 public:
  // All outlive it.
  AttentionPart(const EnginePlan& plan, const Workers& workers, Meter* meter);

  // Before the first of a pass: the weights of what is mixed.
  void begin(const StepPass& pass);
  // The keys of every query.
  void choose(const StepPass& pass, size_t layer, AttentionRows& rows);
  // The signs of their values' sum, a pointer's own; and their mixture [rows, d_model], where the plan mixes.
  void vote(const StepPass& pass, const AttentionRows& rows, kernels::SignBits& attended) const;
  void mix(const StepPass& pass, bool backward, const AttentionRows& rows, float* attended) const;
  void backward(const StepPass& pass, size_t layer, const AttentionRows& rows, const AttentionGradients& to) const;

 private:
  kernels::ScoreRule rule_of(const StepPass& pass, size_t layer, int64_t sequence, int64_t head) const;
  // f(sequence, head, its bits) for every head, cut for the threads.
  using OfHead = FunctionRef<int64_t, int64_t, const kernels::BitHead&>;
  void for_each_head(const StepPass& pass, const AttentionRows& rows, OfHead f) const;
  int64_t shared_products(const StepPass& pass) const;  // multiply-adds of values that are weighed and added
  void head_backward(const kernels::BitHead& head, const int32_t* index, const float* probabilities, float factor,
                     const kernels::HeadGradients& to) const;

  const EnginePlan& plan_;
  const Workers& workers_;
  Meter* meter_;
  double rho_ = -1;             // that the weights are of
  std::vector<float> weights_;  // of a query's keys, by how many it has (kernels/cpu_kernels.h)
};

}  // namespace bitsweep::engine
