#include "nn/alpha_stack.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace bitsweep::nn {
namespace {

constexpr int64_t kMostLayers = 1024, kMostOffset = 65536;

}  // namespace

int64_t AlphaStackOptions::shift_of(int64_t layer) const {
  return std::find(kshift_layers.begin(), kshift_layers.end(), layer) != kshift_layers.end() ? kshift_offset : 0;
}

Alpha read_alpha(OptionReader& reader) {
  return reader.choice("alpha", "mean", {"mean", "learned"}) == "learned" ? Alpha::learned : Alpha::mean;
}

void read_kshift(OptionReader& reader, AlphaStackOptions& options, std::vector<int64_t> default_layers,
                 int64_t context) {
  options.kshift_layers = reader.integers("kshift_layers", std::move(default_layers), 0, kMostLayers - 1);
  options.kshift_offset = reader.integer("kshift_offset", options.kshift_offset, 1, kMostOffset);
  if (options.kshift_layers.empty()) {
    reader.leave_out("kshift_offset");
    return;
  }
  if (options.kshift_offset >= context)
    reader.add_problem(fmt::format("kshift_offset: expected an integer from 1 to below the context ({}), got {}",
                                   context, options.kshift_offset));
  if (reader.good() && options.kshift_layers.back() >= options.shape.n_layers) {
    reader.add_problem(fmt::format("kshift_layers: expected layers from 0 to {} (n_layers is {}), got {}",
                                   options.shape.n_layers - 1, options.shape.n_layers, options.kshift_layers.back()));
  }
}

void read_bonsai(OptionReader& reader, AlphaStackOptions& options) {
  options.bonsai = reader.boolean("bonsai", options.bonsai);
  options.anneal_end_frac = reader.number("anneal_end_frac", options.anneal_end_frac, 0.01, 1);
  if (!options.bonsai) reader.leave_out("anneal_end_frac");
}

ModelCount count_alpha_stack(const AlphaStackOptions& options, int64_t vocab) {
  const Shape& shape = options.shape;
  const int64_t vectors = layer_thresholds(shape) * (options.alpha == Alpha::learned ? 2 : 1);
  ModelCount count;
  count.embedding = end_weights(shape, vocab);
  count.layers = shape.n_layers * (layer_weights(shape) + vectors) + norm_gains(shape);
  count.vectors = shape.n_layers * vectors + norm_gains(shape);
  count.extra = sign_head_extra(vocab);
  count.stored_bits_per_weight = count.stored_bits_body = 1;
  return count;
}

std::vector<Stage> alpha_stages(const AlphaStackOptions& options, const Workload& work) {
  const LinearCost out{LinearCost::Code::alpha, /*masked=*/false, options.alpha == Alpha::learned ? 2 : 1};
  LinearCost inner = out;
  inner.masked = options.inner == OutputSign::clipped;
  StageList stages(options.shape, work);
  stages.embedding(/*signs=*/true);
  for (int64_t layer = 0; layer < options.shape.n_layers; ++layer) {
    stages.norm();
    stages.attention(inner, out, options.attention, options.shift_of(layer) > 0);
    stages.norm();
    stages.ffn(inner, out);
  }
  stages.norm();
  stages.head(/*signs=*/true);
  return stages.take();
}

AlphaStack::AlphaStack(const AlphaStackOptions& options, int64_t vocab)
    : options_(options),
      vocab_(vocab),
      embedding_(ParameterSink(*this, "embedding"), vocab, options.shape.d_model),
      layers_([&] {
        const auto& [d, n_layers, heads, d_ff] = options.shape;
        const OutputSign inner = options.inner, out = OutputSign::none;
        const ParameterSink sink(*this, "layers");
        std::vector<Layer> layers;
        for (int64_t i = 0; i < n_layers; ++i) {
          const ParameterSink layer = sink.scope(std::to_string(i));
          layers.push_back({{layer.scope("attention_norm"), d},
                            {layer.scope("attention"), d, inner, out, options.shift_of(i), options.alpha},
                            {layer.scope("ffn_norm"), d},
                            {layer.scope("ffn"), d, d_ff, inner, out, options.alpha}});
        }
        return layers;
      }()),
      norm_(ParameterSink(*this, "norm"), options.shape.d_model),
      head_(ParameterSink(*this, "head"), vocab, options.shape.d_model),
      attention_(options.shape.n_heads, options.shape.head_size(), options.attention) {}

StepEngine* AlphaStack::engine() {
  if (engine_ == nullptr) engine_ = make_alpha_step(*this, options_, vocab_);
  return engine_.get();
}

at::Tensor AlphaStack::read(const at::Tensor& tokens, const StepContext& context, DecodeCache* cache) {
  const AttentionStep step = attention_step(options_.attention, context);
  const double m = options_.bonsai ? binarized_part(options_.anneal_end_frac, context.progress()) : 1.0;
  at::Tensor x = embedding_.forward(tokens).to(at::kFloat);  // [B, T, d]; the residual stays f32 under autocast
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    x = x + layer.attention.forward(layer.attention_norm.forward(x), attention_, step, m, cache_of(cache, i));
    x = x + layer.ffn.forward(layer.ffn_norm.forward(x), m);
  }
  return norm_.forward(x);
}

}  // namespace bitsweep::nn
