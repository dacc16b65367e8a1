// The family of llama-shaped models: embedding and head in full precision, softmax attention, SwiGLU, a float residual.
// llama, bitnet and b158 differ by their linears.
//
//   x = E[tokens]                                                    [B, T, d]
//   L times:  x = x + o( softmax-attention( q, k, v of norm(x) ) );  x = x + down( silu(gate) ⊙ up ) of norm(x)
//   logits = norm(x) · Cᵀ                                            [B, T, V]
//
// Where the linears have a norm of their own, the one before them is left out; the one before the head stays.
#pragma once

#include <cmath>
#include <vector>

#include <ATen/ATen.h>

#include "nn/block_scope.h"
#include "nn/family.h"
#include "nn/gated_ffn.h"
#include "nn/rms_norm.h"

namespace bitsweep::nn {

struct LlamaOptions {
  Shape shape;
  AttentionRule attention;
  bool fan_in = false;  // the linears and the head start as N(0, 1/d_in); else as N(0, init_sd²)
  double init_sd = kLatentSd;
  double embedding_sd = kLatentSd;

  // Of a matrix of d_in inputs.
  double start_sd(int64_t d_in) const { return fan_in ? 1 / std::sqrt(static_cast<double>(d_in)) : init_sd; }
};

// In place of a norm that is elsewhere.
struct NoNorm {
  NoNorm(const ParameterSink&, int64_t) {}
  at::Tensor forward(const at::Tensor& x) const { return x; }
};

// Parts: `Linear` (sink, d_in, d_out[, sd]), `Norm` (RmsNorm or NoNorm).
template <class Parts>
class LlamaStack final : public Model {
 public:
  LlamaStack(const LlamaOptions& options, int64_t vocab)
      : heads_(options.shape.n_heads),
        rule_(options.attention),
        embedding_(
            ParameterSink(*this, "embedding").normal("weight", {vocab, options.shape.d_model}, options.embedding_sd)),
        layers_([&] {
          const auto& [d, n_layers, heads, d_ff] = options.shape;
          // What writes to the residual starts smaller, so that its variance does not grow with depth (GPT-2).
          const double deep = std::sqrt(2.0 * static_cast<double>(n_layers));
          const double sd = options.start_sd(d), down_sd = options.start_sd(d_ff) / deep;
          const ParameterSink sink(*this, "layers");
          std::vector<Layer> layers;
          for (int64_t i = 0; i < n_layers; ++i) {
            const ParameterSink layer = sink.scope(std::to_string(i)), attention = layer.scope("attention");
            layers.push_back({{layer.scope("attention_norm"), d},
                              {attention.scope("q"), d, d, sd},
                              {attention.scope("k"), d, d, sd},
                              {attention.scope("v"), d, d, sd},
                              {attention.scope("o"), d, d, sd / deep},
                              {layer.scope("ffn_norm"), d},
                              {layer.scope("ffn"), d, d_ff, down_sd, sd}});
          }
          return layers;
        }()),
        norm_(ParameterSink(*this, "norm"), options.shape.d_model),
        head_(ParameterSink(*this, "head"), options.shape.d_model, vocab, options.start_sd(options.shape.d_model)),
        bias_(options.shape.n_heads, options.attention.alibi) {}

  int64_t head_vocab() const override { return embedding_.size(0); }

  at::Tensor trunk(const at::Tensor& tokens, const StepContext& context) override {
    const AttentionStep step = attention_step(rule_, context);
    at::Tensor x = embed(tokens);  // [B, T, d]
    for (const Layer& layer : layers_) {
      x = x + attention(layer, layer.attention_norm.forward(x), step);
      x = x + layer.ffn.forward(layer.ffn_norm.forward(x));
    }
    return norm_.forward(x);
  }

  at::Tensor head(const at::Tensor& hidden) override {
    BITSWEEP_BLOCK("head");
    return head_.forward(hidden);
  }

 private:
  struct Layer {
    typename Parts::Norm attention_norm;
    typename Parts::Linear q, k, v, o;
    typename Parts::Norm ffn_norm;
    SwigluFfn<typename Parts::Linear> ffn;
  };
  at::Tensor embed(const at::Tensor& tokens) const {
    BITSWEEP_BLOCK("embedding");
    return at::embedding(embedding_, tokens);
  }
  at::Tensor attention(const Layer& layer, const at::Tensor& x, const AttentionStep& step) {
    BITSWEEP_BLOCK("projections");
    const at::Tensor q = layer.q.forward(x), k = layer.k.forward(x), v = layer.v.forward(x);  // [B, T, d]
    return layer.o.forward(attend(q, k, v, heads_, bias_, step));
  }

  int64_t heads_;
  AttentionRule rule_;
  at::Tensor embedding_;  // [V, d]
  std::vector<Layer> layers_;
  RmsNorm norm_;
  Linear head_;
  CausalBias bias_;
};

// Gains of norms before the layers' blocks and before the head, or of the seven linears and before the head.
inline int64_t llama_gains(const Shape& shape, bool inside_linears) {
  if (!inside_linears) return norm_gains(shape);
  return shape.n_layers * (6 * shape.d_model + shape.d_ff) + shape.d_model;
}

// Parts besides: kBits (a weight of a linear as deployed), kCode (what it costs; ternary and binary have their norm
// inside).
template <class Parts>
struct LlamaFamily {
  using Built = LlamaStack<Parts>;

  static LlamaOptions read(OptionReader& reader, int64_t vocab, int64_t) {
    LlamaOptions options;
    options.attention.kind = AttentionKind::softmax;
    read_family_shape<LlamaFamily>(reader, options, vocab);
    options.attention = read_softmax_attention(reader);
    options.fan_in = reader.choice("init", "fixed", {"fixed", "fan_in"}) == "fan_in";
    options.init_sd = reader.number("init_sd", options.init_sd, kLeastSd, kMostSd);
    options.embedding_sd = reader.number("embedding_sd", options.embedding_sd, kLeastSd, kMostSd);
    if (options.fan_in) reader.leave_out("init_sd");
    reader.leave_out_at("init", "fixed");
    reader.leave_out_at("init_sd", kLatentSd);
    reader.leave_out_at("embedding_sd", kLatentSd);
    return options;
  }

  static constexpr double kLeastSd = 1e-4, kMostSd = 1;
  static constexpr bool kNormsInside = LinearCost{Parts::kCode}.normed();

  static ModelCount count(const LlamaOptions& options, int64_t vocab) {
    const Shape& shape = options.shape;
    const double in_linears = static_cast<double>(shape.n_layers * layer_weights(shape));
    ModelCount count;
    count.embedding = end_weights(shape, vocab);
    count.vectors = llama_gains(shape, kNormsInside);
    count.layers = shape.n_layers * layer_weights(shape) + count.vectors;
    const double at_ends = static_cast<double>(count.embedding);
    count.stored_bits_per_weight = (kStoredFloatBits * at_ends + Parts::kBits * in_linears) / (at_ends + in_linears);
    return count;
  }

  static std::vector<Stage> stages(const LlamaOptions& options, const Workload& work) {
    const LinearCost linear{Parts::kCode};
    StageList stages(options.shape, work);
    stages.embedding(/*signs=*/false);
    for (int64_t layer = 0; layer < options.shape.n_layers; ++layer) {
      if (!kNormsInside) stages.norm();
      stages.attention(linear, linear, options.attention);
      if (!kNormsInside) stages.norm();
      stages.ffn(linear, linear);
    }
    stages.norm();
    stages.head(/*signs=*/false);
    return stages.take();
  }
};

}  // namespace bitsweep::nn
