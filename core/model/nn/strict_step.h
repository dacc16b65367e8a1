// The strict family's engine (engine/strict_engine.h) on a model's tensors.
#pragma once

#include <memory>
#include <string>

#include "nn/attention_rule.h"
#include "nn/cost.h"
#include "nn/geometry.h"
#include "nn/sign_linear.h"
#include "nn/step_engine.h"

namespace bitsweep::nn {

struct StrictOptions;

// Why such a model has none, in a clause ("attention: rwsp mixes values to floats"); empty: it has.
std::string no_strict_engine(const StrictOptions& options);
EngineCost strict_engine_cost(const StrictOptions& options, const Workload& work);

// Of a model with the parameters or bit matrices of strict_stack.h, which outlives it.
std::unique_ptr<StepEngine> make_strict_engine(Model& model, const StrictOptions& options, int64_t vocab);

}  // namespace bitsweep::nn
