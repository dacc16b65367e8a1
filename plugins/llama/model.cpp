#include "model.h"

#include <cmath>

#include <ATen/ATen.h>

namespace bitsweep {

Llama::Llama(const LlamaOptions& options, int64_t vocab)
    : heads_(options.shape.n_heads),
      embedding_(ParameterSink(*this, "embedding").normal("weight", {vocab, options.shape.d_model}, kLatentSd)),
      layers_([&] {
        const auto& [d, n_layers, heads, d_ff] = options.shape;
        // What writes to the residual starts smaller, so that its variance does not grow with depth (GPT-2).
        const double residual_sd = kLatentSd / std::sqrt(2.0 * static_cast<double>(n_layers));
        const ParameterSink sink(*this, "layers");
        std::vector<Layer> layers;
        for (int64_t i = 0; i < n_layers; ++i) {
          const ParameterSink layer = sink.scope(std::to_string(i)), attention = layer.scope("attention");
          layers.push_back({{layer.scope("attention_norm"), d},
                            {attention.scope("q"), d, d},
                            {attention.scope("k"), d, d},
                            {attention.scope("v"), d, d},
                            {attention.scope("o"), d, d, residual_sd},
                            {layer.scope("ffn_norm"), d},
                            {layer.scope("ffn"), d, d_ff, residual_sd}});
        }
        return layers;
      }()),
      norm_(ParameterSink(*this, "norm"), options.shape.d_model),
      head_(ParameterSink(*this, "head"), options.shape.d_model, vocab),
      bias_(options.shape.n_heads, options.alibi) {}

at::Tensor Llama::attention(const Layer& layer, const at::Tensor& x) {
  const at::Tensor q = layer.q.forward(x), k = layer.k.forward(x), v = layer.v.forward(x);  // [B, T, d]
  return layer.o.forward(softmax_attention(q, k, v, heads_, bias_));
}

at::Tensor Llama::forward(const at::Tensor& tokens, const StepContext&) {
  at::Tensor x = at::embedding(embedding_, tokens);  // [B, T, d]
  for (const Layer& layer : layers_) {
    x = x + attention(layer, layer.attention_norm.forward(x));
    x = x + layer.ffn.forward(layer.ffn_norm.forward(x));
  }
  return head_.forward(norm_.forward(x));  // [B, T, V]
}

}  // namespace bitsweep
