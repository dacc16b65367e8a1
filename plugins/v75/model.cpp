#include "model.h"

namespace bitsweep {

V75::V75(const V75Options& options, int64_t vocab)
    : options_(options),
      embedding_(ParameterSink(*this, "embedding"), vocab, options.shape.d_model),
      layers_([&] {
        const auto& [d, n_layers, heads, d_ff] = options.shape;
        const ParameterSink sink(*this, "layers");
        std::vector<Layer> layers;
        for (int64_t i = 0; i < n_layers; ++i) {
          const ParameterSink layer = sink.scope(std::to_string(i));
          layers.push_back({{layer.scope("attention_norm"), d},
                            {layer.scope("attention"), d, heads, options.output, OutputSign::none},
                            {layer.scope("ffn_norm"), d},
                            {layer.scope("ffn"), d, d_ff, options.output, OutputSign::none}});
        }
        return layers;
      }()),
      norm_(ParameterSink(*this, "norm"), options.shape.d_model),
      head_(ParameterSink(*this, "head"), vocab, options.shape.d_model),
      bias_(options.shape.n_heads, options.alibi) {}

at::Tensor V75::forward(const at::Tensor& tokens, const StepContext& context) {
  std::optional<PointerNoise> noise;
  if (context.training) {
    noise = {context.noise, log_schedule(options_.tau_start, options_.tau_end, context.progress())};
  }
  at::Tensor x = embedding_.forward(tokens).to(at::kFloat);  // [B, T, d]; the residual stays f32 under autocast
  for (const Layer& layer : layers_) {
    x = x + layer.attention.forward(layer.attention_norm.forward(x), bias_, noise);
    x = x + layer.ffn.forward(layer.ffn_norm.forward(x));
  }
  return head_.forward(norm_.forward(x));  // [B, T, V]
}

}  // namespace bitsweep
