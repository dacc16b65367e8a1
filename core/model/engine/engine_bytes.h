// What an engine holds, by arithmetic, for who plans a run before there is an engine.
#pragma once

#include <cstdint>

#include "engine/plan.h"

namespace bitsweep::engine {

struct EngineBytes {
  // Of all layers, from their forward pass to their backward pass.
  int64_t norms = 0, projections = 0, attention = 0, ffn = 0;
  // Packed weights, the floats of the way back, what the head reads and a part of the logits.
  int64_t standing = 0;
  int64_t scratch = 0;  // that a thread has in kernels

  // What Engine::bytes() says.
  int64_t engine() const { return norms + projections + attention + ffn + standing; }
  int64_t all() const { return engine() + scratch; }
};

// After a pass of so many sequences of `context` tokens. `scratch` is that of training, of one thread and of the
// instruction sets that take most.
EngineBytes engine_bytes(const EnginePlan& plan, int64_t sequences, int64_t context, bool trains);

}  // namespace bitsweep::engine
