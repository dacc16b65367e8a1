// v57, the strict ±1 model: every weight and every activation between blocks is ±1; no normalisation, no per-channel
// scale.
//
//   x = sign(E)[tokens]                                              [B, T, d]
//   L times:  x = sign( x + attention(x) + ffn(x) )                  both read the same x
//     attention = o( attend( q(x), k(x), v(x) ) )                    ffn = down( gate(x) ⊙ up(x) )
//     every linear: sign( (x · sign(W)ᵀ)/√d_in − threshold ), clipped gradient
//   logits = (x · sign(C)ᵀ) · logit_scale + bias                     [B, T, V]
#pragma once

#include <vector>

#include "nn/family.h"
#include "nn/gated_ffn.h"
#include "nn/pointer_block.h"
#include "nn/sign_embedding.h"

namespace bitsweep {

struct V57Options {
  Shape shape;
  AttentionRule attention;
  OutputSign output = OutputSign::clipped;  // of the linears
};

class V57 final : public Model {
 public:
  V57(const V57Options& options, int64_t vocab);
  at::Tensor forward(const at::Tensor& tokens, const StepContext& context) override;

 private:
  struct Layer {
    PointerBlock<StrictLinear> attention;
    XnorFfn<StrictLinear> ffn;
  };
  V57Options options_;
  SignEmbedding embedding_;
  std::vector<Layer> layers_;
  SignHead head_;
  CausalBias bias_;
};

}  // namespace bitsweep
