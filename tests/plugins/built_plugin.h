// A plugin as the worker uses it: loaded from the build folder through the C table, and a small training loop on
// built-in text around its model.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "nn/model.h"
#include "plugin/build_id.h"
#include "plugin/loader.h"
#include "plugin/manifest.h"
#include "train/adamw.h"
#include "train/gradients.h"
#include "train/token_loss.h"

namespace bitsweep {

// Every plugin of this tree.
inline constexpr const char* kPluginNames[] = {"v47b",    "v52",    "v57",  "v75",  "v76",
                                               "truebit", "bitnet", "b158", "llama"};

inline constexpr int64_t kVocab = 128, kContext = 32;

inline fs::path plugin_folder() { return fs::path(BITSWEEP_BUILD_DIR) / "plugins"; }

inline plugin::Plugin built_plugin(const std::string& name) {
  return plugin::load_plugin(name, plugin_folder(), BITSWEEP_BUILD_ID);
}

inline plugin::DescribeRequest request_of(const std::string& options_json, int64_t vocab = kVocab,
                                          int64_t context = kContext) {
  plugin::DescribeRequest request;
  request.options = parse_json(options_json, "options").as_object();
  request.vocab = vocab;
  request.context = context;
  return request;
}

// As a new sweep asks: options that came later at their defaults.
inline plugin::DescribeRequest fresh_request(const std::string& name, const std::string& options_json,
                                             int64_t vocab = kVocab, int64_t context = kContext) {
  plugin::DescribeRequest request = request_of(options_json, vocab, context);
  request.defaults = plugin::read_manifest(plugin_folder() / name / "plugin.yaml").later_defaults();
  return request;
}

// d 32, two layers: small enough that a step takes about a millisecond.
inline const std::string kTiny = R"({"d_model": 32, "n_layers": 2, "n_heads": 2, "d_ff": 24})";

inline plugin::OwnedModel build(const plugin::Plugin& plugin, plugin::DescribeRequest request, uint64_t seed = 0) {
  request.options = plugin.describe(request).options;
  at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
  generator.set_current_seed(seed);
  return plugin.create(request);
}

// Text with structure at two distances: words from a short list, then the same word again after a comma.
inline at::Tensor synthetic_text(int64_t length) {
  const std::vector<std::string> words = {"sign", "bits", "key", "layer", "token", "pointer", "scale", "head"};
  std::string text;
  for (uint64_t state = 1; static_cast<int64_t>(text.size()) < length;) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const std::string& word = words[(state >> 40) % words.size()];
    text += word + ", " + word + ". ";
  }
  at::Tensor bytes = at::empty({length}, at::kLong);
  for (int64_t i = 0; i < length; ++i) bytes[i] = static_cast<int64_t>(text[static_cast<size_t>(i)]);
  return bytes;
}

// A plain AdamW loop; everything it does is a function of the seed.
class TinyTrainer {
 public:
  TinyTrainer(nn::Model& model, int64_t steps, double lr, int64_t batch = 8,
              nn::Gradients gradients = nn::Gradients::f32)
      : model_(model),
        steps_(steps),
        lr_(lr),
        batch_(batch),
        gradients_(gradients),
        text_(synthetic_text(6000)),
        adamw_({}, all_decaying(model.parameters())) {}

  // Loss of the next step, in bits per byte.
  double step() {
    at::Generator noise = seeded(1000 + static_cast<uint64_t>(done_));
    nn::StepContext context{
        .training = true, .step = done_, .total_steps = steps_, .noise = noise, .gradients = gradients_};
    const at::Tensor tokens = windows(seeded(static_cast<uint64_t>(done_)));
    const train::TokenBatch batch{.inputs = tokens.narrow(1, 0, kContext).contiguous(),
                                  .targets = tokens.narrow(1, 1, kContext).flatten()};
    const at::Tensor loss = loss_and_backward(model_, batch, context, train::Precision::f32);
    context.noise = seeded(2000 + static_cast<uint64_t>(done_));
    model_.update(context);
    ++done_;
    update();
    return loss.item<double>() / std::log(2.0);
  }

  double evaluate() {
    const at::NoGradGuard no_grad;
    double sum = 0;
    for (uint64_t i = 0; i < 4; ++i) sum += loss_of(windows(seeded(9000 + i)), nn::StepContext{}).item<double>();
    return sum / 4 / std::log(2.0);
  }

  at::Tensor windows(at::Generator generator) const {
    const at::Tensor starts = at::empty({batch_, 1}, at::kLong).random_(0, text_.size(0) - kContext - 1, generator);
    return text_.index({starts + at::arange(kContext + 1)});  // [B, T + 1]
  }

  at::Tensor loss_of(const at::Tensor& windows, const nn::StepContext& context) {
    const at::Tensor logits = model_.forward(windows.narrow(1, 0, kContext).contiguous(), context);
    return at::cross_entropy_loss(logits.to(at::kFloat).flatten(0, 1), windows.narrow(1, 1, kContext).flatten());
  }

 private:
  static at::Generator seeded(uint64_t seed) {
    at::Generator generator = at::globalContext().defaultGenerator(at::kCPU).clone();
    generator.set_current_seed(seed);
    return generator;
  }

  // As the losses on record were made.
  static std::vector<nn::Parameter> all_decaying(std::vector<nn::Parameter> parameters) {
    for (nn::Parameter& parameter : parameters) parameter.decay = true;
    return parameters;
  }

  void update() {
    adamw_.step(lr_ * std::min(1.0, static_cast<double>(done_) / 10), {});
    train::drop_gradients(model_.parameters());
  }

  nn::Model& model_;
  int64_t steps_;
  double lr_;
  int64_t batch_;
  nn::Gradients gradients_;
  at::Tensor text_;
  int64_t done_ = 0;
  train::AdamW adamw_;
};

}  // namespace bitsweep
