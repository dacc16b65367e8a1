// Strict ±1 blocks whose weights are bits, not latents: the same values and gradients as StrictLinear, SignEmbedding
// and SignHead have for latents of those signs. Signs are unpacked when a product needs them and dropped after it; the
// gradient of the signs is left in the matrix's port (nn/model.h).
#pragma once

#include "nn/module.h"
#include "nn/sign_linear.h"

namespace bitsweep::nn {

// y = (x · Sᵀ)/√d_in − threshold, S = ±1 [d_out, d_in]. x [..., d_in] -> [..., d_out]
class BitLinear {
 public:
  // Registers weight [d_out, d_in] as bits and threshold [d_out] = 0.
  BitLinear(const ParameterSink& sink, int64_t d_in, int64_t d_out, OutputSign output = OutputSign::clipped);
  at::Tensor forward(const at::Tensor& x) const;

 private:
  BitMatrix weight_;
  at::Tensor threshold_;
  OutputSign output_;
};

// tokens [B, T] int64 -> ±1 [B, T, d], in the compute type.
class BitEmbedding {
 public:
  // Registers weight [V, d] as bits.
  BitEmbedding(const ParameterSink& sink, int64_t vocab, int64_t d);
  at::Tensor forward(const at::Tensor& tokens) const;

 private:
  BitMatrix weight_;
};

// x [..., d] -> logits [..., V] = (x · Sᵀ) · logit_scale + bias, in f32.
class BitHead {
 public:
  // Registers weight [V, d] as bits, bias [V] = 0 and logit_scale [1] = 1/√d.
  BitHead(const ParameterSink& sink, int64_t vocab, int64_t d);
  at::Tensor forward(const at::Tensor& x) const;

 private:
  BitMatrix weight_;
  at::Tensor bias_, logit_scale_;
};

}  // namespace bitsweep::nn
