// The engine of a family (engine/engine.h) on a model's tensors.
#pragma once

#include <cstdint>
#include <memory>

#include "nn/cost.h"
#include "nn/step_engine.h"

namespace bitsweep::nn {

struct AlphaStackOptions;
struct LlamaOptions;
struct StrictOptions;

// What it costs, or why there is none, in a clause ("bonsai: weights are floats at first"). Of the family of
// llama_stack.h by what its linears are: plain, ternary or binary.
EngineCost strict_engine_cost(const StrictOptions& options, const Workload& work);
EngineCost alpha_engine_cost(const AlphaStackOptions& options, const Workload& work);
EngineCost llama_engine_cost(const LlamaOptions& options, LinearCost::Code code, const Workload& work);

// Of a model with the parameters or bit matrices of strict_stack.h, alpha_stack.h or llama_stack.h, which outlives it.
// Null where there is none.
std::unique_ptr<StepEngine> make_strict_step(Model& model, const StrictOptions& options, int64_t vocab);
std::unique_ptr<StepEngine> make_alpha_step(Model& model, const AlphaStackOptions& options, int64_t vocab);
std::unique_ptr<StepEngine> make_llama_step(Model& model, const LlamaOptions& options, LinearCost::Code code,
                                            int64_t vocab);

}  // namespace bitsweep::nn
