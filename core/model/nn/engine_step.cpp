#include "nn/engine_step.h"

#include <array>
#include <map>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "engine/engine.h"
#include "engine/engine_bytes.h"
#include "nn/alibi.h"
#include "nn/alpha_stack.h"
#include "nn/engine_workers.h"
#include "nn/llama_stack.h"
#include "nn/rms_norm.h"
#include "nn/rotary.h"
#include "nn/rounding_kind.h"
#include "nn/scores.h"
#include "nn/strict_stack.h"

namespace bitsweep::nn {
namespace {

using engine::LinearTensors;
using engine::StepTensors;
using engine::TrainedFloats;
using engine::TrainedSigns;

constexpr std::array<const char*, engine::kLinears> kLinearNames = {
    "attention.q", "attention.k", "attention.v", "attention.o", "ffn.gate", "ffn.up", "ffn.down"};

engine::EnginePlan common_plan(const Shape& shape, const AttentionRule& attention, int64_t vocab) {
  const bool several = attention.kind == AttentionKind::topk || attention.kind == AttentionKind::rwsp;
  return {.vocab = vocab,
          .d_model = shape.d_model,
          .layers = shape.n_layers,
          .heads = shape.n_heads,
          .d_ff = shape.d_ff,
          .keys = several ? attention.keys : 0,
          .mixes = attention.kind == AttentionKind::rwsp,
          .slopes = CausalBias(shape.n_heads, attention.positions == Positions::alibi).slopes(),
          .softmax = attention.kind == AttentionKind::softmax,
          .turns = attention.positions == Positions::rope};
}

// A model's tensors, found by name once. Their memory may change (Model::to), their identity does not.
class ModelHandles {
 public:
  ModelHandles(Model& model, int64_t layers) {
    for (const Parameter& parameter : model.parameters()) found_[parameter.name].trained = parameter.tensor;
    for (const BitMatrix& matrix : model.bit_matrices()) found_[matrix.name] = {matrix.port, matrix.bits};
    embedding_ = take("embedding.weight");
    for (int64_t layer = 0; layer < layers; ++layer) layers_.push_back(take_layer(fmt::format("layers.{}.", layer)));
    norm_ = take_if("norm.gamma");
    codebook_ = take_if("head.weight");
    if (!codebook_.trained.defined()) codebook_ = embedding_;  // tied
    bias_ = take_if("head.bias");
    logit_scale_ = take_if("head.logit_scale");
  }

  // With gradients: those that are wanted are there, to be added to or, where none was there before, to be written.
  StepTensors tensors(bool gradients) {
    StepTensors tensors;
    if (gradients) tensors.add = prepare_gradients();
    tensors.embedding = signs_of(embedding_, gradients);
    tensors.codebook = signs_of(codebook_, gradients);
    tensors.bias = floats_of(bias_, gradients);
    tensors.logit_scale = floats_of(logit_scale_, gradients);
    tensors.norm = floats_of(norm_, gradients);
    for (const LayerHandles& layer : layers_) {
      engine::LayerTensors& of_layer = tensors.layers.emplace_back();
      of_layer.attention_norm = floats_of(layer.attention_norm, gradients);
      of_layer.ffn_norm = floats_of(layer.ffn_norm, gradients);
      for (size_t i = 0; i < engine::kLinears; ++i) {
        const LinearHandles& linear = layer.linears[i];
        of_layer.linears[i] = {signs_of(linear.weight, gradients), floats_of(linear.threshold, gradients),
                               floats_of(linear.alpha, gradients), floats_of(linear.gain, gradients)};
      }
    }
    return tensors;
  }

 private:
  struct Handle {
    at::Tensor trained, bits;  // of a matrix of bits, `trained` is its port
  };

  struct LinearHandles {
    Handle weight, threshold, alpha, gain;
  };
  struct LayerHandles {
    std::array<LinearHandles, engine::kLinears> linears;
    Handle attention_norm, ffn_norm;
  };

  Handle take(const std::string& name) {
    all_.push_back(found_.at(name));
    return all_.back();
  }
  // Nothing where the model has none.
  Handle take_if(const std::string& name) { return found_.count(name) > 0 ? take(name) : Handle(); }

  LayerHandles take_layer(const std::string& prefix) {
    LayerHandles layer;
    layer.attention_norm = take_if(prefix + "attention_norm.gamma");
    layer.ffn_norm = take_if(prefix + "ffn_norm.gamma");
    for (size_t i = 0; i < engine::kLinears; ++i) {
      const std::string linear = prefix + kLinearNames[i];
      layer.linears[i] = {take(linear + ".weight"), take_if(linear + ".threshold"), take_if(linear + ".alpha"),
                          take_if(linear + ".norm.gamma")};
    }
    return layer;
  }

  static float* gradient_of(const Handle& handle, bool wanted) {
    return wanted && handle.trained.requires_grad() ? handle.trained.mutable_grad().mutable_data_ptr<float>() : nullptr;
  }
  static TrainedFloats floats_of(const Handle& handle, bool gradients) {
    if (!handle.trained.defined()) return {};
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
  std::vector<Handle> all_;
  std::vector<LayerHandles> layers_;
  Handle embedding_, norm_, codebook_, bias_, logit_scale_;
};

class EngineStep final : public StepEngine {
 public:
  EngineStep(Model& model, const AttentionRule& rule, const engine::EnginePlan& plan)
      : rule_(rule),
        layers_(plan.layers),
        vocab_(plan.vocab),
        rounds_(rounds(plan)),
        handles_(model, layers_),
        engine_(engine::Engine::make(plan, workers_, &meter_)) {
    if (plan.turns) rotary_.emplace(plan.head_size(), rule.rope_theta, rule.rope_scaling);
  }

  double train(const at::Tensor& inputs, const at::Tensor& targets, const StepContext& context,
               double weight) override {
    if (context.gradients != Gradients::f32) {
      require_roundable(vocab_, kSymbols);
      require_roundable(inputs.numel(), kTokens);
    }
    if (rounds_) engine_->round_gradients(rounding_kind(context.gradients));
    const StepTensors tensors = handles_.tensors(/*gradients=*/true);
    engine_->pack(tensors, /*trains=*/true);
    return engine_->train(tensors, pass_of(inputs, targets, context), static_cast<float>(weight));
  }

  Scores score(const at::Tensor& inputs, const at::Tensor& targets, const StepContext& context) override {
    const StepTensors tensors = handles_.tensors(/*gradients=*/false);
    engine_->pack(tensors, /*trains=*/false);
    Scores scores{at::empty({targets.size(0)}, at::kFloat), at::empty({targets.size(0)}, at::kLong)};
    engine_->score(tensors, pass_of(inputs, targets, context), scores.nats.mutable_data_ptr<float>(),
                   scores.likeliest.mutable_data_ptr<int64_t>());
    return scores;
  }

  int64_t bytes() const override { return engine_->bytes(); }
  bool rounds() const override { return rounds_; }

  // Of linears with signs: others multiply floats or bytes.
  static bool rounds(const engine::EnginePlan& plan) { return plan.weights == engine::Weights::signs; }

 private:
  // Draws the layers' keys in their order, as the blocks do.
  engine::StepPass pass_of(const at::Tensor& inputs, const at::Tensor& targets, const StepContext& context) {
    engine::StepPass pass{.tokens = inputs.const_data_ptr<int64_t>(),
                          .targets = targets.const_data_ptr<int64_t>(),
                          .sequences = inputs.size(0),
                          .context = inputs.size(1)};
    const AttentionStep step = attention_step(rule_, context);
    if (context.gradients != Gradients::f32) pass.rounding_key = rounding_key(context);
    pass.rho = step.rho;
    if (rotary_) {
      const auto [cosines, sines] = rotary_->tables(pass.context, at::kCPU);
      pass.cosines = cosines.const_data_ptr<float>();
      pass.sines = sines.const_data_ptr<float>();
    }
    if (!step.noise) return pass;
    pass.tau = static_cast<float>(step.noise->tau);
    at::Generator generator = step.noise->generator;
    for (int64_t layer = 0; layer < layers_; ++layer) pass.noise_keys.push_back(draw_noise_key(generator));
    return pass;
  }

  AttentionRule rule_;
  int64_t layers_, vocab_;
  bool rounds_;
  std::optional<Rotary> rotary_;  // where positions turn
  ModelHandles handles_;
  TorchWorkers workers_;
  EngineMeter meter_;
  std::unique_ptr<engine::Engine> engine_;
};

// What the engine of a model is to do, or why there is none.
struct PlannedEngine {
  std::string none{};
  engine::EnginePlan plan{};
};

PlannedEngine plan_engine(const StrictOptions& options, int64_t vocab) {
  PlannedEngine planned{.plan = common_plan(options.shape, options.attention, vocab)};
  planned.plan.clipped = options.output == OutputSign::clipped;
  planned.none = engine::Engine::refusal(planned.plan);
  return planned;
}

PlannedEngine plan_engine(const AlphaStackOptions& options, int64_t vocab) {
  PlannedEngine planned{.plan = common_plan(options.shape, options.attention, vocab)};
  engine::EnginePlan& plan = planned.plan;
  plan.residual = engine::Residual::floats;
  plan.clipped = options.inner == OutputSign::clipped;
  plan.gate = options.inner == OutputSign::none ? engine::Gate::silu : engine::Gate::signs;
  plan.norm_epsilon = static_cast<float>(kRmsNormEpsilon);
  for (int64_t layer = 0; layer < options.shape.n_layers; ++layer) plan.key_shifts.push_back(options.shift_of(layer));
  if (options.bonsai) {
    planned.none = "bonsai: weights are floats at first";
  } else if (plan.softmax != (options.inner == OutputSign::none)) {
    planned.none = plan.softmax ? "softmax attention on signs" : "a pointer on floats";
  } else if (plan.turns && !plan.softmax) {
    planned.none = "positions: rope turns queries and keys to floats";
  } else {
    planned.none = engine::Engine::refusal(plan);
  }
  return planned;
}

engine::Weights weights_of(LinearCost::Code code) {
  if (code == LinearCost::Code::ternary) return engine::Weights::ternary;
  return code == LinearCost::Code::binary ? engine::Weights::binary : engine::Weights::floats;
}

PlannedEngine plan_engine(const LlamaOptions& options, LinearCost::Code code, int64_t vocab) {
  PlannedEngine planned{.plan = common_plan(options.shape, options.attention, vocab)};
  engine::EnginePlan& plan = planned.plan;
  plan.residual = engine::Residual::floats;
  plan.norm_epsilon = static_cast<float>(options.norm_epsilon);
  plan.weights = weights_of(code);
  plan.gate = options.activation == GateActivation::relu2 ? engine::Gate::relu2 : engine::Gate::silu;
  plan.kv_heads = options.shared_heads();
  plan.float_ends = true;
  if (LinearCost{code}.quantizes()) {
    plan.norms.outer = options.norms_outside();
    plan.norms.inside.fill(options.norms == NormPlace::inside);
    if (options.norms != NormPlace::outer)
      plan.norms.inside[engine::kOutLinear] = plan.norms.inside[engine::kDownLinear] = true;
  }
  planned.none = engine::Engine::refusal(plan);
  return planned;
}

EngineCost cost_of(const PlannedEngine& planned, const Workload& work) {
  const bool rounds = planned.plan.weights != engine::Weights::floats;
  EngineCost cost{.none = planned.none, .rounds = rounds};
  if (!cost.none.empty()) return cost;
  if (rounds && work.gradients != Gradients::f32 && !EngineStep::rounds(planned.plan)) {
    cost.none = "train.gradients of 8-bit activations are rounded by blocks";
    cost.bytes = engine::engine_bytes(planned.plan, work.sequences, work.context, /*trains=*/false).all();
    return cost;
  }
  engine::EnginePlan plan = planned.plan;
  if (rounds) plan.rounding = rounding_kind(work.gradients);
  const engine::EngineBytes bytes = engine::engine_bytes(plan, work.sequences, work.context, /*trains=*/true);
  cost.bytes = bytes.all();
  cost.kept = {{"embedding", token_bytes(work)},
               {"norm", bytes.norms},
               {"projections", bytes.projections},
               {"attention", bytes.attention},
               {"ffn", bytes.ffn}};
  return cost;
}

std::unique_ptr<StepEngine> make_step(Model& model, const AttentionRule& rule, const PlannedEngine& planned) {
  return planned.none.empty() ? std::make_unique<EngineStep>(model, rule, planned.plan) : nullptr;
}

}  // namespace

EngineCost strict_engine_cost(const StrictOptions& options, const Workload& work) {
  return cost_of(plan_engine(options, work.vocab), work);
}

EngineCost alpha_engine_cost(const AlphaStackOptions& options, const Workload& work) {
  return cost_of(plan_engine(options, work.vocab), work);
}

EngineCost llama_engine_cost(const LlamaOptions& options, LinearCost::Code code, const Workload& work) {
  return cost_of(plan_engine(options, code, work.vocab), work);
}

std::unique_ptr<StepEngine> make_strict_step(Model& model, const StrictOptions& options, int64_t vocab) {
  return make_step(model, options.attention, plan_engine(options, vocab));
}

std::unique_ptr<StepEngine> make_alpha_step(Model& model, const AlphaStackOptions& options, int64_t vocab) {
  return make_step(model, options.attention, plan_engine(options, vocab));
}

std::unique_ptr<StepEngine> make_llama_step(Model& model, const LlamaOptions& options, LinearCost::Code code,
                                            int64_t vocab) {
  return make_step(model, options.attention, plan_engine(options, code, vocab));
}

}  // namespace bitsweep::nn
