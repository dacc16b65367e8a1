// The strict ±1 model: every weight and every activation between blocks is ±1; no normalisation, no per-channel scale.
//
//   x = sign(E)[tokens]                                              [B, T, d]
//   L times:  x = sign( x + attention(x) + ffn(x) )                  both read the same x
//     attention = o( attend( q(x), k(x), v(x) ) )                    ffn = down( gate(x) ⊙ up(x) )
//     every linear: sign( (x · sign(W)ᵀ)/√d_in − threshold ), clipped gradient
//   logits = (x · sign(C)ᵀ) · logit_scale + bias                     [B, T, V]
//
// What a weight is made of is a parameter: latents (v57) or bits (truebit).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nn/decoder_model.h"
#include "nn/engine_step.h"
#include "nn/family.h"
#include "nn/gated_ffn.h"
#include "nn/pointer_block.h"
#include "nn/sign.h"
#include "nn/sign_embedding.h"

namespace bitsweep::nn {

struct StrictOptions {
  Shape shape;
  AttentionRule attention;
  OutputSign output = OutputSign::clipped;  // of the linears
};

inline ModelCount count_strict_stack(const StrictOptions& options, int64_t vocab) {
  const Shape& shape = options.shape;
  ModelCount count;
  count.embedding = end_weights(shape, vocab);
  count.layers = shape.n_layers * (layer_weights(shape) + layer_thresholds(shape));
  count.vectors = shape.n_layers * layer_thresholds(shape);
  count.extra = sign_head_extra(vocab);
  count.stored_bits_per_weight = count.stored_bits_body = 1;
  return count;
}

template <bool kBits = false>  // weights are bits, not latents
std::vector<Stage> strict_stages(const StrictOptions& options, const Workload& work) {
  const LinearCost linear{LinearCost::Code::sign, options.output == OutputSign::clipped, /*vectors=*/1};
  StageList stages(options.shape, work);
  stages.embedding(/*signs=*/true);
  for (int64_t layer = 0; layer < options.shape.n_layers; ++layer) {
    stages.attention(linear, linear, options.attention);
    stages.ffn(linear, linear, /*shares_input=*/true);
  }
  stages.head(/*signs=*/true, kBits);
  return stages.take();
}

// LinearType, Embedding, Head: StrictLinear, SignEmbedding, SignHead, or their likes in bit_linear.h.
template <class LinearType, class Embedding, class Head>
class StrictStack : public DecoderModel {
 public:
  StrictStack(const StrictOptions& options, int64_t vocab)
      : options_(options),
        vocab_(vocab),
        embedding_(ParameterSink(*this, "embedding"), vocab, options.shape.d_model),
        layers_(make_layers()),
        head_(ParameterSink(*this, "head"), vocab, options.shape.d_model),
        attention_(options.shape.n_heads, options.shape.head_size(), options.attention) {}

  int64_t head_vocab() const override { return vocab_; }

  at::Tensor head(const at::Tensor& hidden) override { return head_.forward(hidden); }

  bool blocks_round() const override { return true; }

  StepEngine* engine() override {
    if (engine_ == nullptr) engine_ = make_strict_step(*this, options_, vocab_);
    return engine_.get();
  }

 protected:
  at::Tensor read(const at::Tensor& tokens, const StepContext& context, DecodeCache* cache) override {
    const AttentionStep step = attention_step(options_.attention, context);
    at::Tensor x = embedding_.forward(tokens);  // [B, T, d], ±1 from here to the head
    for (size_t i = 0; i < layers_.size(); ++i) {
      const at::Tensor attended =
          layers_[i].attention.forward(x, attention_, step, /*binarized=*/1.0, this->cache_of(cache, i));
      x = residual_sign(x, attended, layers_[i].ffn.forward(x));
    }
    return x;
  }

 private:
  struct Layer {
    PointerBlock<LinearType> attention;
    XnorFfn<LinearType> ffn;
  };

  std::vector<Layer> make_layers() {
    const auto& [d, n_layers, heads, d_ff] = options_.shape;
    const ParameterSink sink(*this, "layers");
    std::vector<Layer> layers;
    for (int64_t i = 0; i < n_layers; ++i) {
      const ParameterSink layer = sink.scope(std::to_string(i));
      layers.push_back({{layer.scope("attention"), d, options_.output, options_.output},
                        {layer.scope("ffn"), d, d_ff, options_.output, options_.output}});
    }
    return layers;
  }

  StrictOptions options_;
  int64_t vocab_;
  Embedding embedding_;
  std::vector<Layer> layers_;
  Head head_;
  CausalAttention attention_;
  std::unique_ptr<StepEngine> engine_;  // made when it is first asked for
};

}  // namespace bitsweep::nn
