// The family of llama-shaped models: embedding and head in full precision, softmax attention, a gated feed-forward
// block, a float residual. llama, bitnet and b158 differ by their linears.
//
//   x = E[tokens]                                                    [B, T, d]
//   L times:  x = x + o( softmax-attention( q, k, v of norm(x) ) );  x = x + down( silu(gate) ⊙ up ) of norm(x)
//   logits = norm(x) · Cᵀ                                            [B, T, V]
//
// k and v have n_kv_heads heads of d_model/n_heads numbers. Tied, C is E. Where the linears have a norm of their own,
// the one before them is left out; the one before the head stays. NormPlace::outer_and_sub is between the two: a norm
// before q, k, v and before gate, up, as without norms inside, and norms inside o and down alone.
#pragma once

#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include <ATen/ATen.h>

#include "nn/block_scope.h"
#include "nn/causal_attention.h"
#include "nn/decoder_model.h"
#include "nn/engine_step.h"
#include "nn/family.h"
#include "nn/gated_ffn.h"
#include "nn/rms_norm.h"

namespace bitsweep::nn {

enum class NormPlace { outer, inside, outer_and_sub };

struct LlamaOptions {
  Shape shape;
  AttentionRule attention;
  int64_t kv_heads = 0;  // 0: as many as heads
  bool tied = false;
  NormPlace norms = NormPlace::outer;
  double norm_epsilon = kRmsNormEpsilon;
  GateActivation activation = GateActivation::silu;
  bool fan_in = false;  // the linears and the head start as N(0, 1/d_in); else as N(0, init_sd²)
  double init_sd = kLatentSd;
  double embedding_sd = kLatentSd;

  int64_t shared_heads() const { return kv_heads > 0 ? kv_heads : shape.n_heads; }
  int64_t kv_width() const { return shared_heads() * shape.head_size(); }
  bool norms_outside() const { return norms != NormPlace::inside; }
  // Of a matrix of d_in inputs.
  double start_sd(int64_t d_in) const { return fan_in ? 1 / std::sqrt(static_cast<double>(d_in)) : init_sd; }
  // Tied, the matrix starts as a head does: the norm before the head fixes the size of what it reads.
  double embedding_start_sd() const { return tied ? start_sd(shape.d_model) : embedding_sd; }
};

// A linear that a plugin brings is not what engines compute, and says nothing of one.
template <class LinearType>
inline constexpr bool kLinearHasEngine = requires {
  LinearType::kHasEngine;
};

// Parts: `Linear` (sink, d_in, d_out, sd), and where that may have a norm inside (…, sd, its epsilon or nothing).
template <class Parts>
class LlamaStack final : public DecoderModel {
 public:
  LlamaStack(const LlamaOptions& options, int64_t vocab)
      : options_(options),
        embedding_(ParameterSink(*this, "embedding")
                       .normal("weight", {vocab, options.shape.d_model}, options.embedding_start_sd())),
        layers_(layers(options, ParameterSink(*this, "layers"))),
        norm_(ParameterSink(*this, "norm"), options.shape.d_model, options.norm_epsilon),
        head_(untied_head(options, ParameterSink(*this, "head"), vocab)),
        attention_(options.shape.n_heads, options.shape.head_size(), options.attention, options.shared_heads()) {}

  int64_t head_vocab() const override { return embedding_.size(0); }
  bool blocks_round() const override { return !std::is_same_v<typename Parts::Linear, Linear>; }  // quant_linear.h
  StepEngine* engine() override {
    if constexpr (kLinearHasEngine<typename Parts::Linear>)
      if (engine_ == nullptr) engine_ = make_llama_step(*this, options_, Parts::kKind.code, head_vocab());
    return engine_.get();
  }

  at::Tensor head(const at::Tensor& hidden) override {
    BITSWEEP_BLOCK("head");
    return head_ ? head_->forward(hidden) : at::linear(hidden, embedding_);
  }

 protected:
  at::Tensor read(const at::Tensor& tokens, const StepContext& context, DecodeCache* cache) override {
    const AttentionStep step = attention_step(options_.attention, context);
    at::Tensor x = embed(tokens);  // [B, T, d]
    for (size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      x = x + attend(layer, normed(layer.attention_norm, x), step, cache_of(cache, i));
      x = x + layer.ffn.forward(normed(layer.ffn_norm, x));
    }
    return norm_.forward(x);
  }

 private:
  using LinearType = typename Parts::Linear;
  struct Layer {
    std::optional<RmsNorm> attention_norm;
    LinearType q, k, v, o;
    std::optional<RmsNorm> ffn_norm;
    SwigluFfn<LinearType> ffn;
  };

  static LinearType linear(const LlamaOptions& options, const ParameterSink& sink, int64_t d_in, int64_t d_out,
                           double sd, bool before_residual = false) {
    if constexpr (requires { LinearType(sink, d_in, d_out, sd, std::optional<double>()); }) {
      const bool inside = options.norms == NormPlace::inside || before_residual;
      return LinearType(sink, d_in, d_out, sd, inside ? std::optional(options.norm_epsilon) : std::nullopt);
    } else {
      return LinearType(sink, d_in, d_out, sd);
    }
  }

  static std::optional<RmsNorm> outer_norm(const LlamaOptions& options, const ParameterSink& sink) {
    if (!options.norms_outside()) return std::nullopt;
    return RmsNorm(sink, options.shape.d_model, options.norm_epsilon);
  }

  static Layer layer(const LlamaOptions& options, const ParameterSink& sink) {
    const auto& [d, n_layers, heads, d_ff] = options.shape;
    const int64_t d_kv = options.kv_width();
    // What writes to the residual starts smaller, so that its variance does not grow with depth (GPT-2).
    const double deep = std::sqrt(2.0 * static_cast<double>(n_layers));
    const double sd = options.start_sd(d), down_sd = options.start_sd(d_ff) / deep;
    const ParameterSink attention = sink.scope("attention"), ffn = sink.scope("ffn");
    return {outer_norm(options, sink.scope("attention_norm")),
            linear(options, attention.scope("q"), d, d, sd),
            linear(options, attention.scope("k"), d, d_kv, sd),
            linear(options, attention.scope("v"), d, d_kv, sd),
            linear(options, attention.scope("o"), d, d, sd / deep, /*before_residual=*/true),
            outer_norm(options, sink.scope("ffn_norm")),
            SwigluFfn<LinearType>{
                linear(options, ffn.scope("gate"), d, d_ff, sd), linear(options, ffn.scope("up"), d, d_ff, sd),
                linear(options, ffn.scope("down"), d_ff, d, down_sd, /*before_residual=*/true), options.activation}};
  }

  static std::vector<Layer> layers(const LlamaOptions& options, const ParameterSink& sink) {
    std::vector<Layer> layers;
    for (int64_t i = 0; i < options.shape.n_layers; ++i)
      layers.push_back(layer(options, sink.scope(std::to_string(i))));
    return layers;
  }

  static std::optional<Linear> untied_head(const LlamaOptions& options, const ParameterSink& sink, int64_t vocab) {
    if (options.tied) return std::nullopt;
    return Linear(sink, options.shape.d_model, vocab, options.start_sd(options.shape.d_model));
  }

  static at::Tensor normed(const std::optional<RmsNorm>& norm, const at::Tensor& x) {
    return norm ? norm->forward(x) : x;
  }

  at::Tensor embed(const at::Tensor& tokens) const {
    BITSWEEP_BLOCK("embedding");
    return at::embedding(embedding_, tokens);
  }

  at::Tensor attend(const Layer& layer, const at::Tensor& x, const AttentionStep& step, LayerCache* cache) {
    BITSWEEP_BLOCK("projections");
    at::Tensor q = layer.q.forward(x), k = layer.k.forward(x), v = layer.v.forward(x);  // [B, T, d], [B, T, d_kv]
    return layer.o.forward(attention_.forward(std::move(q), std::move(k), std::move(v), step, cache));
  }

  LlamaOptions options_;
  at::Tensor embedding_;  // [V, d]
  std::vector<Layer> layers_;
  RmsNorm norm_;
  std::optional<Linear> head_;  // tied: none
  CausalAttention attention_;
  std::unique_ptr<StepEngine> engine_;  // made when it is first asked for
};

}  // namespace bitsweep::nn
