#include "nn/strict_step.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"
#include "engine/strict_bytes.h"
#include "engine/strict_engine.h"
#include "nn/alibi.h"
#include "nn/engine_workers.h"
#include "nn/scores.h"
#include "nn/strict_stack.h"

namespace bitsweep::nn {
namespace {

using engine::LinearTensors;
using engine::StrictTensors;
using engine::TrainedFloats;
using engine::TrainedSigns;

constexpr std::array<const char*, engine::kLinears> kLinearNames = {
    "attention.q", "attention.k", "attention.v", "attention.o", "ffn.gate", "ffn.up", "ffn.down"};

engine::StrictPlan plan_of(const StrictOptions& options, int64_t vocab) {
  const Shape& shape = options.shape;
  const bool vote = options.attention.kind == AttentionKind::topk;
  return {.vocab = vocab,
          .d_model = shape.d_model,
          .layers = shape.n_layers,
          .heads = shape.n_heads,
          .d_ff = shape.d_ff,
          .clipped = options.output == OutputSign::clipped,
          .keys = vote ? options.attention.keys : 0,
          .slopes = CausalBias(shape.n_heads, options.attention.positions == Positions::alibi).slopes()};
}

// A model's tensors, found by name once. Their memory may change (Model::to), their identity does not.
class StrictHandles {
 public:
  StrictHandles(Model& model, int64_t layers) {
    for (const Parameter& parameter : model.parameters()) found_[parameter.name].trained = parameter.tensor;
    for (const BitMatrix& matrix : model.bit_matrices()) found_[matrix.name] = {matrix.port, matrix.bits};
    embedding_ = take("embedding.weight");
    for (int64_t layer = 0; layer < layers; ++layer)
      for (const char* name : kLinearNames) {
        linears_.push_back(take(fmt::format("layers.{}.{}.weight", layer, name)));
        linears_.push_back(take(fmt::format("layers.{}.{}.threshold", layer, name)));
      }
    codebook_ = take("head.weight");
    bias_ = take("head.bias");
    logit_scale_ = take("head.logit_scale");
  }

  // With gradients: those that are wanted are there, to be added to or, where none was there before, to be written.
  StrictTensors tensors(bool gradients) {
    StrictTensors tensors;
    if (gradients) tensors.add = prepare_gradients();
    tensors.embedding = signs_of(embedding_, gradients);
    tensors.codebook = signs_of(codebook_, gradients);
    tensors.bias = floats_of(bias_, gradients);
    tensors.logit_scale = floats_of(logit_scale_, gradients);
    for (size_t i = 0; i < linears_.size(); i += 2) {
      const size_t place = i / 2 % engine::kLinears;
      if (place == 0) tensors.layers.emplace_back();
      tensors.layers.back()[place] = {signs_of(linears_[i], gradients), floats_of(linears_[i + 1], gradients)};
    }
    return tensors;
  }

 private:
  struct Handle {
    at::Tensor trained, bits;  // of a matrix of bits, `trained` is its port
  };

  Handle take(const std::string& name) {
    all_.push_back(found_.at(name));
    return all_.back();
  }

  static float* gradient_of(const Handle& handle, bool wanted) {
    return wanted && handle.trained.requires_grad() ? handle.trained.mutable_grad().mutable_data_ptr<float>() : nullptr;
  }
  static TrainedFloats floats_of(const Handle& handle, bool gradients) {
    return {handle.trained.const_data_ptr<float>(), gradient_of(handle, gradients)};
  }
  static TrainedSigns signs_of(const Handle& handle, bool gradients) {
    TrainedSigns signs{.values = {}, .gradient = gradient_of(handle, gradients)};
    if (handle.bits.defined()) {
      signs.values.bits = handle.bits.const_data_ptr<int64_t>();
    } else {
      signs.values.latents = handle.trained.const_data_ptr<float>();
    }
    return signs;
  }

  // Whether there were gradients before; then what had none has zeros.
  bool prepare_gradients() {
    bool before = false;
    for (const Handle& handle : all_) before |= handle.trained.requires_grad() && handle.trained.grad().defined();
    for (const Handle& handle : all_) {
      at::Tensor& gradient = handle.trained.mutable_grad();
      if (!handle.trained.requires_grad() || gradient.defined()) continue;
      const at::TensorOptions options(at::kFloat);
      gradient = before ? at::zeros(handle.trained.sizes(), options) : at::empty(handle.trained.sizes(), options);
    }
    return before;
  }

  std::map<std::string, Handle> found_;
  std::vector<Handle> all_, linears_;  // of each layer: weight and threshold of its linears
  Handle embedding_, codebook_, bias_, logit_scale_;
};

class StrictStep final : public StepEngine {
 public:
  StrictStep(Model& model, const StrictOptions& options, int64_t vocab)
      : rule_(options.attention),
        layers_(options.shape.n_layers),
        vocab_(vocab),
        handles_(model, layers_),
        engine_(plan_of(options, vocab), workers_, &meter_) {}

  void round_gradients(Gradients gradients) override {
    rounds_ = gradients != Gradients::f32;
    if (rounds_) require_depth(vocab_, "symbols");
    engine_.round_gradients(kind_of(gradients));
  }

  double train(const at::Tensor& inputs, const at::Tensor& targets, const StepContext& context,
               double weight) override {
    if (rounds_) require_depth(inputs.numel(), "tokens a micro-batch, of which train.accumulate makes more");
    const StrictTensors tensors = handles_.tensors(/*gradients=*/true);
    engine_.pack(tensors);
    return engine_.train(tensors, pass_of(inputs, targets, context), static_cast<float>(weight));
  }

  Scores score(const at::Tensor& inputs, const at::Tensor& targets, const StepContext& context) override {
    const StrictTensors tensors = handles_.tensors(/*gradients=*/false);
    engine_.pack(tensors);
    Scores scores{at::empty({targets.size(0)}, at::kFloat), at::empty({targets.size(0)}, at::kLong)};
    engine_.score(tensors, pass_of(inputs, targets, context), scores.nats.mutable_data_ptr<float>(),
                  scores.likeliest.mutable_data_ptr<int64_t>());
    return scores;
  }

  int64_t bytes() const override { return engine_.bytes(); }

 private:
  static std::optional<kernels::QuantizedKind> kind_of(Gradients gradients) {
    if (gradients == Gradients::f32) return std::nullopt;
    return gradients == Gradients::int16 ? kernels::QuantizedKind::int16 : kernels::QuantizedKind::s6;
  }

  // What is summed in a product.
  static void require_depth(int64_t count, const char* of_what) {
    if (count <= kernels::kMostQuantizedDepth) return;
    throw Error(ErrorKind::input,
                fmt::format("train.gradients int16 and s6 take up to {} {}, found {}",
                            format_thousands(kernels::kMostQuantizedDepth), of_what, format_thousands(count)));
  }

  // Draws the layers' keys in their order, as the blocks do.
  engine::StrictPass pass_of(const at::Tensor& inputs, const at::Tensor& targets, const StepContext& context) const {
    engine::StrictPass pass{.tokens = inputs.const_data_ptr<int64_t>(),
                            .targets = targets.const_data_ptr<int64_t>(),
                            .sequences = inputs.size(0),
                            .context = inputs.size(1)};
    const AttentionStep step = attention_step(rule_, context);
    pass.rounding_key = static_cast<uint64_t>(context.step);
    if (!step.noise) return pass;
    pass.tau = static_cast<float>(step.noise->tau);
    at::Generator generator = step.noise->generator;
    for (int64_t layer = 0; layer < layers_; ++layer) pass.noise_keys.push_back(draw_noise_key(generator));
    pass.rounding_key = ~pass.noise_keys.front();  // the attention's noise is a function of the key itself
    return pass;
  }

  AttentionRule rule_;
  int64_t layers_, vocab_;
  bool rounds_ = false;
  StrictHandles handles_;
  TorchWorkers workers_;
  EngineMeter meter_;
  engine::StrictEngine engine_;
};

}  // namespace

std::string no_strict_engine(const StrictOptions& options) {
  if (options.attention.kind == AttentionKind::rwsp) return "attention: rwsp mixes values to floats";
  return engine::StrictEngine::refusal(plan_of(options, /*vocab=*/1));
}

EngineCost strict_engine_cost(const StrictOptions& options, const Workload& work) {
  EngineCost cost{.none = no_strict_engine(options)};
  if (!cost.none.empty()) return cost;
  const engine::StrictBytes bytes =
      engine::strict_bytes(plan_of(options, work.vocab), work.sequences, work.context, /*trains=*/true);
  cost.bytes = bytes.all();
  cost.kept = {{"embedding", token_bytes(work)},
               {"projections", bytes.projections},
               {"attention", bytes.attention},
               {"ffn", bytes.ffn}};
  return cost;
}

std::unique_ptr<StepEngine> make_strict_engine(Model& model, const StrictOptions& options, int64_t vocab) {
  return std::make_unique<StrictStep>(model, options, vocab);
}

}  // namespace bitsweep::nn
