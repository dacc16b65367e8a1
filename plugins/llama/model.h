// llama, the full-precision control: the shape of the 1-bit variants with float weights and softmax attention.
//
//   x = E[tokens]                                                    [B, T, d]
//   L times:  x = x + o( softmax-attention( q, k, v of norm(x) ) );  x = x + down( silu(gate) ⊙ up ) of norm(x)
//   logits = norm(x) · Cᵀ                                            [B, T, V]
#pragma once

#include <vector>

#include "nn/gated_ffn.h"
#include "nn/geometry.h"
#include "nn/rms_norm.h"
#include "nn/softmax_attention.h"

namespace bitsweep {

struct LlamaOptions {
  Shape shape;
  bool alibi = true;
};

class Llama final : public Model {
 public:
  Llama(const LlamaOptions& options, int64_t vocab);
  at::Tensor forward(const at::Tensor& tokens, const StepContext& context) override;

 private:
  struct Layer {
    RmsNorm attention_norm;
    Linear q, k, v, o;
    RmsNorm ffn_norm;
    SwigluFfn ffn;
  };
  at::Tensor attention(const Layer& layer, const at::Tensor& x);

  int64_t heads_;
  at::Tensor embedding_;  // [V, d]
  std::vector<Layer> layers_;
  RmsNorm norm_;
  Linear head_;
  CausalBias bias_;
};

}  // namespace bitsweep
