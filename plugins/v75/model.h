// v75, the α-scaled 1-bit model: ±1 weights with a scale and a threshold per output, a float residual under RMSNorm,
// and pointer attention over signs.
//
//   x = sign(E)[tokens]                                              [B, T, d]
//   L times:  x = x + attention( norm(x) );  x = x + ffn( norm(x) )
//     attention = o( pointer( q, k, v ) )     q, k, v signed; o float, into the residual
//     ffn = down( gate ⊙ up )                 gate, up signed; down float, into the residual
//     every linear: y = x · (α ⊙ sign(W))ᵀ − threshold; where signed: sign(y), clipped gradient
//   logits = (norm(x) · sign(C)ᵀ) · logit_scale + bias               [B, T, V]
#pragma once

#include <vector>

#include "nn/gated_ffn.h"
#include "nn/geometry.h"
#include "nn/pointer_block.h"
#include "nn/rms_norm.h"
#include "nn/sign_embedding.h"

namespace bitsweep {

struct V75Options {
  Shape shape;
  bool alibi = true;
  double tau_start = 2.0, tau_end = 0.1;
  OutputSign output = OutputSign::clipped;  // of q, k, v, gate and up
};

class V75 final : public Model {
 public:
  V75(const V75Options& options, int64_t vocab);
  at::Tensor forward(const at::Tensor& tokens, const StepContext& context) override;

 private:
  struct Layer {
    RmsNorm attention_norm;
    PointerBlock<AlphaLinear> attention;
    RmsNorm ffn_norm;
    XnorFfn<AlphaLinear> ffn;
  };
  V75Options options_;
  SignEmbedding embedding_;
  std::vector<Layer> layers_;
  RmsNorm norm_;
  SignHead head_;
  CausalBias bias_;
};

}  // namespace bitsweep
