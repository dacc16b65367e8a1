// Gated feed-forward blocks: down( gate(x) ∘ up(x) ), three matrices, d -> d_ff -> d.
#pragma once

#include "nn/alpha_linear.h"
#include "nn/linear.h"
#include "nn/strict_linear.h"

namespace bitsweep {

// silu(gate) ⊙ up, shapes equal; keeps its two inputs only.
at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up);

// Full precision (Shazeer 2020): down( silu(gate x) ⊙ up x ). x [..., d] -> [..., d]
class SwigluFfn {
 public:
  SwigluFfn(const ParameterSink& sink, int64_t d, int64_t d_ff, double down_sd);
  at::Tensor forward(const at::Tensor& x) const;

 private:
  Linear gate_, up_, down_;
};

// 1-bit: gate and up give signs, their product is an XNOR, down reads ±1. x [..., d] -> [..., d]
// LinearType is StrictLinear (down signed too) or AlphaLinear (down float, for a float residual).
template <class LinearType>
class XnorFfn {
 public:
  XnorFfn(const ParameterSink& sink, int64_t d, int64_t d_ff, OutputSign inner, OutputSign down)
      : gate_(sink.scope("gate"), d, d_ff, inner),
        up_(sink.scope("up"), d, d_ff, inner),
        down_(sink.scope("down"), d_ff, d, down) {}

  at::Tensor forward(const at::Tensor& x) const { return down_.forward(gate_.forward(x) * up_.forward(x)); }

 private:
  LinearType gate_, up_, down_;
};

}  // namespace bitsweep
