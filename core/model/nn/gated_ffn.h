// Gated feed-forward blocks: down( gate(x) ∘ up(x) ), three matrices, d -> d_ff -> d.
#pragma once

#include <utility>

#include <ATen/ATen.h>

#include "nn/alpha_linear.h"
#include "nn/binarize.h"
#include "nn/block_scope.h"
#include "nn/linear.h"
#include "nn/strict_linear.h"

namespace bitsweep::nn {

// silu(gate) ⊙ up, shapes equal; keeps its two inputs only.
at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up);
// relu(gate)² ⊙ up; likewise.
at::Tensor relu2glu(const at::Tensor& gate, const at::Tensor& up);

enum class GateActivation { silu, relu2 };

// Float activations (Shazeer 2020): down( silu(gate x) ⊙ up x ), or relu² in place of silu. x [..., d] -> [..., d]
// LinearType is Linear, TernaryLinear or BinaryLinear.
template <class LinearType>
class SwigluFfn {
 public:
  // down_sd, sd: standard deviations that down, and gate and up, start with.
  SwigluFfn(const ParameterSink& sink, int64_t d, int64_t d_ff, double down_sd, double sd = kLatentSd)
      : gate_(sink.scope("gate"), d, d_ff, sd),
        up_(sink.scope("up"), d, d_ff, sd),
        down_(sink.scope("down"), d_ff, d, down_sd) {}
  // Of linears made elsewhere.
  SwigluFfn(LinearType gate, LinearType up, LinearType down, GateActivation activation)
      : gate_(std::move(gate)), up_(std::move(up)), down_(std::move(down)), activation_(activation) {}

  at::Tensor forward(const at::Tensor& x) const {
    BITSWEEP_BLOCK("ffn");
    if (activation_ == GateActivation::relu2) return down_.forward(relu2glu(gate_.forward(x), up_.forward(x)));
    return down_.forward(swiglu(gate_.forward(x), up_.forward(x)));
  }

 private:
  LinearType gate_, up_, down_;
  GateActivation activation_ = GateActivation::silu;
};

// 1-bit weights. Where gate and up give signs, their product is an XNOR and down reads ±1; where they do not
// (OutputSign::none), it is silu(gate) ⊙ up. x [..., d] -> [..., d]
// LinearType is StrictLinear or BitLinear (down signed too) or AlphaLinear (down float, for a float residual).
template <class LinearType>
class XnorFfn {
 public:
  // more: what LinearType's constructor takes besides.
  template <class... More>
  XnorFfn(const ParameterSink& sink, int64_t d, int64_t d_ff, OutputSign inner, OutputSign down, const More&... more)
      : signed_(inner != OutputSign::none),
        gate_(sink.scope("gate"), d, d_ff, inner, more...),
        up_(sink.scope("up"), d, d_ff, inner, more...),
        down_(sink.scope("down"), d_ff, d, down, more...) {}

  // binarized: the m of binarize.h.
  at::Tensor forward(const at::Tensor& x, double binarized = 1.0) const {
    BITSWEEP_BLOCK("ffn");
    const at::Tensor gate = forward_at(gate_, x, binarized), up = forward_at(up_, x, binarized);
    return forward_at(down_, signed_ ? gate * up : swiglu(gate, up), binarized);
  }

 private:
  bool signed_;
  LinearType gate_, up_, down_;
};

}  // namespace bitsweep::nn
