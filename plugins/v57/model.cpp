#include "model.h"

#include "nn/sign.h"

namespace bitsweep {

V57::V57(const V57Options& options, int64_t vocab)
    : options_(options),
      embedding_(ParameterSink(*this, "embedding"), vocab, options.shape.d_model),
      layers_([&] {
        const auto& [d, n_layers, heads, d_ff] = options.shape;
        const ParameterSink sink(*this, "layers");
        std::vector<Layer> layers;
        for (int64_t i = 0; i < n_layers; ++i) {
          const ParameterSink layer = sink.scope(std::to_string(i));
          layers.push_back({{layer.scope("attention"), d, heads, options.output, options.output},
                            {layer.scope("ffn"), d, d_ff, options.output, options.output}});
        }
        return layers;
      }()),
      head_(ParameterSink(*this, "head"), vocab, options.shape.d_model),
      bias_(options.shape.n_heads, options.attention.alibi) {}

at::Tensor V57::forward(const at::Tensor& tokens, const StepContext& context) {
  const AttentionStep step = attention_step(options_.attention, context);
  at::Tensor x = embedding_.forward(tokens);  // [B, T, d], ±1 from here to the head
  for (const Layer& layer : layers_) {
    x = residual_sign(x, layer.attention.forward(x, bias_, step), layer.ffn.forward(x));
  }
  return head_.forward(x);  // [B, T, V]
}

}  // namespace bitsweep
