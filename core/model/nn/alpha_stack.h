// The family of 1-bit weights in a float residual: v47b, v75, v76 and v52 are this model with other options.
//
//   x = sign(E)[tokens]                                              [B, T, d]
//   L times:  x = x + attention( norm(x) );  x = x + ffn( norm(x) )
//     attention = o( attend( q(x), k(x), v(x) ) )     at the listed layers k(x[t] + x[t − offset])
//     ffn = down( gate ⊙ up ), or down( silu(gate) ⊙ up ) where gate and up are not signed
//     every linear: y = x · (α ⊙ sign(W))ᵀ − threshold; q, k, v, gate and up then sign(y), o and down float
//   logits = (norm(x) · sign(C)ᵀ) · logit_scale + bias               [B, T, V]
#pragma once

#include <memory>
#include <vector>

#include "nn/decoder_model.h"
#include "nn/engine_step.h"
#include "nn/family.h"
#include "nn/gated_ffn.h"
#include "nn/pointer_block.h"
#include "nn/rms_norm.h"
#include "nn/sign_embedding.h"

namespace bitsweep::nn {

struct AlphaStackOptions {
  Shape shape;
  AttentionRule attention;
  OutputSign inner = OutputSign::clipped;  // of q, k, v, gate and up; none: float activations
  Alpha alpha = Alpha::mean;
  std::vector<int64_t> kshift_layers;
  int64_t kshift_offset = 1;
  bool bonsai = false;           // binarize.h, for every linear of the layers
  double anneal_end_frac = 0.6;  // of the steps

  int64_t shift_of(int64_t layer) const;  // its K-shift; 0: none
};

// `alpha` mean | learned. Before the shape: a learned α is counted.
Alpha read_alpha(OptionReader& reader);
// `kshift_layers` (all below n_layers) and, where there are any, `kshift_offset` (below `context`, or it would reach no
// token). After the shape.
void read_kshift(OptionReader& reader, AlphaStackOptions& options, std::vector<int64_t> default_layers,
                 int64_t context);
// `bonsai` and, with it, `anneal_end_frac`.
void read_bonsai(OptionReader& reader, AlphaStackOptions& options);

ModelCount count_alpha_stack(const AlphaStackOptions& options, int64_t vocab);
std::vector<Stage> alpha_stages(const AlphaStackOptions& options, const Workload& work);

class AlphaStack final : public DecoderModel {
 public:
  AlphaStack(const AlphaStackOptions& options, int64_t vocab);
  int64_t head_vocab() const override { return vocab_; }
  at::Tensor head(const at::Tensor& hidden) override { return head_.forward(hidden); }
  StepEngine* engine() override;
  bool blocks_round() const override { return true; }

 protected:
  at::Tensor read(const at::Tensor& tokens, const StepContext& context, DecodeCache* cache) override;

 private:
  struct Layer {
    RmsNorm attention_norm;
    PointerBlock<AlphaLinear> attention;
    RmsNorm ffn_norm;
    XnorFfn<AlphaLinear> ffn;
  };
  AlphaStackOptions options_;
  int64_t vocab_;
  SignEmbedding embedding_;
  std::vector<Layer> layers_;
  RmsNorm norm_;
  SignHead head_;
  CausalAttention attention_;
  std::unique_ptr<StepEngine> engine_;  // made when it is first asked for
};

}  // namespace bitsweep::nn
