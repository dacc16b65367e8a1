// Pointer attention with its four 1-bit linears: o( pointer( q(x), k(x), v(x) ) ).
#pragma once

#include "nn/alpha_linear.h"
#include "nn/pointer_attention.h"
#include "nn/strict_linear.h"

namespace bitsweep {

// LinearType is StrictLinear or AlphaLinear. x [B, T, d] -> [B, T, d]
template <class LinearType>
class PointerBlock {
 public:
  PointerBlock(const ParameterSink& sink, int64_t d, int64_t heads, OutputSign inner, OutputSign out)
      : heads_(heads),
        q_(sink.scope("q"), d, d, inner),
        k_(sink.scope("k"), d, d, inner),
        v_(sink.scope("v"), d, d, inner),
        o_(sink.scope("o"), d, d, out) {}

  at::Tensor forward(const at::Tensor& x, CausalBias& bias, const std::optional<PointerNoise>& noise) const {
    return o_.forward(pointer_attention(q_.forward(x), k_.forward(x), v_.forward(x), heads_, bias, noise));
  }

 private:
  int64_t heads_;
  LinearType q_, k_, v_, o_;
};

}  // namespace bitsweep
