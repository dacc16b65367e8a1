// ±1 symbols in and out: the embedding and the codebook head of the 1-bit variants.
#pragma once

#include "nn/module.h"

namespace bitsweep::nn {

// tokens [B, T] int64 -> sign(table)[tokens] [B, T, d], in the compute type. Identity through the sign.
class SignEmbedding {
 public:
  // Registers weight [V, d] ~ N(0, 0.02²).
  SignEmbedding(const ParameterSink& sink, int64_t vocab, int64_t d);
  at::Tensor forward(const at::Tensor& tokens) const;

 private:
  at::Tensor weight_;
};

// x [..., d] -> logits [..., V] = (x · sign(codebook)ᵀ) · logit_scale + bias, in f32.
class SignHead {
 public:
  // Registers weight [V, d] ~ N(0, 0.02²), bias [V] = 0 and logit_scale [1] = 1/√d.
  SignHead(const ParameterSink& sink, int64_t vocab, int64_t d);
  at::Tensor forward(const at::Tensor& x) const;

 private:
  at::Tensor weight_, bias_, logit_scale_;
};

}  // namespace bitsweep::nn
