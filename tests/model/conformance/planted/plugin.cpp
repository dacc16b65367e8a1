// A strict ±1 model of the library's blocks, as v57 is, with one defect planted where the option `defect` says so: what
// the conformance suite is tested with. Without one it is a good plugin.
#include <ATen/ATen.h>

#include "nn/compute_type.h"
#include "nn/key_shift.h"
#include "nn/strict_stack.h"
#include "plugin/plugin.h"

namespace bitsweep::conformance {
namespace {

const std::vector<std::string> kDefects{"none",
                                        "tensor_in_describe",
                                        "miscount",
                                        "open_range",
                                        "double_logits",
                                        "other_halves",
                                        "forgets",
                                        "leak",
                                        "remembers_training",
                                        "batch_mean",
                                        "unseeded_noise",
                                        "unregistered",
                                        "frozen",
                                        "bf16_overflow",
                                        "doubled_gradient",
                                        "stuck_threshold",
                                        "own_seed",
                                        "unsaved_state",
                                        "keeps_memory",
                                        "identity",
                                        "crash"};

struct PlantedOptions : nn::StrictOptions {
  double gain = 1;
  std::string defect;
};

// StrictLinear, but for a threshold that can be cut off from its gradient.
class PlantedLinear {
 public:
  PlantedLinear(const nn::ParameterSink& sink, int64_t d_in, int64_t d_out, nn::OutputSign output, bool stuck)
      : weight_(sink.normal("weight", {d_out, d_in}, nn::kLatentSd)),
        threshold_(sink.constant("threshold", {d_out}, 0.0)),
        scale_(1.0 / std::sqrt(static_cast<double>(d_in))),
        output_(output),
        stuck_(stuck) {}
  at::Tensor forward(const at::Tensor& x) const {
    return sign_linear(x, weight_, stuck_ ? threshold_.detach() : threshold_, scale_, output_);
  }

 private:
  at::Tensor weight_, threshold_;
  double scale_;
  nn::OutputSign output_;
  bool stuck_;
};

at::Generator default_generator() { return at::globalContext().defaultGenerator(at::kCPU); }

class Planted final : public nn::Model {
 public:
  Planted(const PlantedOptions& options, int64_t vocab)
      : options_(options),
        vocab_(vocab),
        embedding_(seeded_sink(options), vocab, options.shape.d_model),
        head_(nn::ParameterSink(*this, "head"), vocab, options.shape.d_model),
        attention_(options.shape.n_heads, options.shape.head_size(), options.attention) {
    for (int64_t i = 0; i < options.shape.n_layers; ++i) layers_.push_back(layer(i));
    if (has("unregistered")) shift_ = at::zeros({vocab}).set_requires_grad(true);
    if (has("frozen")) nn::ParameterSink(*this, "frozen").constant("gain", {vocab}, 1.0).set_requires_grad(false);
  }

  at::Tensor forward(const at::Tensor& tokens, const nn::StepContext& given) override {
    nn::StepContext context = given;
    if (context.training && has("unseeded_noise")) context.noise = default_generator();
    const at::Tensor hidden = trunk(tokens, context);
    if (context.training) ++trained_;
    return spoilt(head_.forward(hidden), context);
  }

  int64_t head_vocab() const override { return has("other_halves") ? vocab_ : 0; }

  at::Tensor trunk(const at::Tensor& tokens, const nn::StepContext& context) override {
    const nn::AttentionStep step = attention_step(options_.attention, context);
    at::Tensor x = embedding_.forward(tokens);
    for (const Layer& layer : layers_) {
      // The later neighbour in place of the earlier one: K-shift the wrong way round.
      const at::Tensor read = has("leak") ? nn::with_earlier(x.flip({1}), 1).flip({1}) : x;
      x = nn::residual_sign(x, layer.attention.forward(x, attention_, step), layer.ffn.forward(read));
    }
    return x;
  }

  at::Tensor head(const at::Tensor& hidden) override { return head_.forward(hidden) * 1.01; }

  at::Tensor decode(const at::Tensor& tokens, const nn::StepContext& context, nn::DecodeCache& cache,
                    int64_t wanted) override {
    if (has("forgets")) cache.tokens = at::Tensor();
    const int64_t length = cache.length;
    const at::Tensor logits = nn::Model::decode(tokens, context, cache, wanted);
    cache.length = length + tokens.size(1);
    return logits;
  }

  void update(const nn::StepContext&) override {
    if (has("keeps_memory")) kept_.push_back(at::zeros({16}));
    ++updates_;
  }

 private:
  struct Layer {
    nn::PointerBlock<PlantedLinear> attention;
    nn::XnorFfn<PlantedLinear> ffn;
  };

  bool has(std::string_view defect) const { return options_.defect == defect; }

  nn::ParameterSink seeded_sink(const PlantedOptions& options) {
    if (options.defect == "own_seed") default_generator().set_current_seed(1);
    return nn::ParameterSink(*this, "embedding");
  }

  Layer layer(int64_t i) {
    const auto& [d, n_layers, heads, d_ff] = options_.shape;
    const nn::ParameterSink sink = nn::ParameterSink(*this, "layers").scope(std::to_string(i));
    const nn::OutputSign output = options_.output;
    return {{sink.scope("attention"), d, output, output, /*key_shift=*/0, false},
            {sink.scope("ffn"), d, d_ff, output, output, has("stuck_threshold") && i == 1}};
  }

  at::Tensor spoilt(at::Tensor logits, const nn::StepContext& context) const {
    logits = logits * options_.gain;
    if (has("double_logits")) return logits.to(at::kDouble);
    if (has("unregistered")) return logits + shift_;
    if (has("batch_mean")) return logits + 0.1 * logits.mean(0, /*keepdim=*/true);
    if (has("remembers_training") && !context.training) return logits * (1 + 1e-3 * static_cast<double>(trained_));
    if (has("unsaved_state") && context.training) return logits * (1 + 1e-3 * static_cast<double>(updates_));
    if (has("doubled_gradient")) return 2 * logits - logits.detach();
    if (has("crash") && nn::compute_type(logits) == at::kBFloat16) __builtin_trap();
    if (has("bf16_overflow") && nn::compute_type(logits) == at::kBFloat16) return logits * 1e30 * 1e30;
    return logits;
  }

  PlantedOptions options_;
  int64_t vocab_;
  nn::SignEmbedding embedding_;
  std::vector<Layer> layers_;
  nn::SignHead head_;
  nn::CausalAttention attention_;
  at::Tensor shift_;
  std::vector<at::Tensor> kept_;
  int64_t trained_ = 0, updates_ = 0;
};

struct Family {
  using Built = Planted;
  static constexpr auto stages = nn::strict_stages<>;

  static PlantedOptions read(nn::OptionReader& reader, int64_t vocab, int64_t) {
    PlantedOptions options;
    read_family_shape<Family>(reader, options, vocab);
    options.defect = reader.choice("defect", "none", kDefects);
    options.gain = reader.number("gain", 1, options.defect == "open_range" ? -1e30 : 0, 4);
    if (options.defect == "identity") options.output = nn::OutputSign::identity;
    if (options.defect == "tensor_in_describe") at::zeros({options.shape.n_layers});
    return options;
  }
  static nn::ModelCount count(const PlantedOptions& options, int64_t vocab) {
    nn::ModelCount count = count_strict_stack(options, vocab);
    if (options.defect == "miscount") count.extra += 1;
    if (options.defect == "frozen") count.extra += vocab;
    return count;
  }
};

}  // namespace
}  // namespace bitsweep::conformance

BITSWEEP_PLUGIN("planted", bitsweep::nn::describe_family<bitsweep::conformance::Family>,
                bitsweep::nn::create_family<bitsweep::conformance::Family>)
