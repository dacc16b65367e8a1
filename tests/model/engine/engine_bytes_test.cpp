// What an engine is said to hold, against what it has allocated.
#include "engine/engine_bytes.h"

#include <gtest/gtest.h>

#include "engine/engine.h"

namespace bitsweep::engine {
namespace {

constexpr int64_t kSequences = 3, kContext = 37;

EnginePlan plan() {
  return {.vocab = 97, .d_model = 60, .layers = 2, .heads = 3, .d_ff = 41, .slopes = std::vector<float>(3)};
}

class OneThread final : public Workers {
 public:
  int64_t count() const override { return 1; }
};

// A model of latents that are all 1, and its gradients.
class OfOnes {
 public:
  explicit OfOnes(const EnginePlan& plan) {
    const int64_t ends = plan.vocab * plan.d_model;
    tensors_.embedding = signs(ends);
    tensors_.codebook = signs(ends);
    for (int64_t layer = 0; layer < plan.layers; ++layer) {
      LayerTensors& of_layer = tensors_.layers.emplace_back();
      of_layer.attention_norm = of_layer.ffn_norm = floats(plan.d_model);
      for (uint8_t i = 0; i < kLinears; ++i) {
        const auto place = static_cast<LinearPlace>(i);
        of_layer.linears[i] = {signs(plan.inputs(place) * plan.outputs(place)),
                               floats(plan.outputs(place)),
                               {},
                               floats(plan.inputs(place))};
      }
    }
    tensors_.norm = floats(plan.d_model);
    tensors_.bias = floats(plan.vocab);
    tensors_.logit_scale = floats(1);
  }
  const StepTensors& tensors() const { return tensors_; }

 private:
  float* ones(int64_t count) { return made_.emplace_back(static_cast<size_t>(count), 1.0f).data(); }
  TrainedSigns signs(int64_t count) { return {.values = {.latents = ones(count)}, .gradient = ones(count)}; }
  TrainedFloats floats(int64_t count) { return {.values = ones(count), .gradient = ones(count)}; }

  std::vector<std::vector<float>> made_;
  StepTensors tensors_;
};

EnginePlan of_floats() {
  EnginePlan floats = plan();
  floats.residual = Residual::floats;
  floats.norm_epsilon = 1e-5f;
  floats.key_shifts = {0, 0};
  return floats;
}

void expect_said(const EnginePlan& plan, bool trains) {
  OneThread worker;
  const std::unique_ptr<Engine> engine = Engine::make(plan, worker, /*meter=*/nullptr);
  const OfOnes model(plan);
  const std::vector<int64_t> tokens(kSequences * kContext);
  const StepPass pass{.tokens = tokens.data(), .targets = tokens.data(), .sequences = kSequences, .context = kContext};
  engine->pack(model.tensors(), trains);
  if (trains) {
    engine->train(model.tensors(), pass, 1);
  } else {
    std::vector<float> nats(tokens.size());
    std::vector<int64_t> likeliest(tokens.size());
    engine->score(model.tensors(), pass, nats.data(), likeliest.data());
  }
  const EngineBytes said = engine_bytes(plan, kSequences, kContext, trains);
  EXPECT_EQ(said.engine(), engine->bytes());
  EXPECT_GT(said.scratch, 0);
}

TEST(EngineBytes, AreWhatIsAllocated) {
  for (const bool trains : {true, false}) {
    expect_said(plan(), trains);
    EnginePlan other = plan();
    other.clipped = false;
    expect_said(other, trains);
    other.keys = 5;
    expect_said(other, trains);
    other.mixes = true;
    expect_said(other, trains);
    expect_said({.vocab = 100'000, .d_model = 8, .layers = 1, .heads = 1, .d_ff = 8, .slopes = {0}}, trains);
  }
}

TEST(EngineBytes, AreWhatIsAllocatedWithAResidualOfFloats) {
  for (const bool trains : {true, false}) {
    expect_said(of_floats(), trains);
    EnginePlan other = of_floats();
    other.clipped = false;
    other.key_shifts = {3, 0};
    expect_said(other, trains);
    other.keys = 4;
    other.mixes = true;
    expect_said(other, trains);
    other.d_ff = 99;
    expect_said(other, trains);
  }
}

TEST(EngineBytes, AreWhatIsAllocatedWhereActivationsAreFloats) {
  for (const bool trains : {true, false})
    for (const Weights weights : {Weights::signs, Weights::ternary, Weights::binary, Weights::floats}) {
      EnginePlan floats = of_floats();
      floats.softmax = true;
      floats.weights = weights;
      floats.gate = Gate::silu;
      expect_said(floats, trains);
      floats.float_ends = true;
      floats.kv_heads = 1;
      expect_said(floats, trains);
      floats.norms.inside[kDownLinear] = true;
      floats.d_ff = 99;
      expect_said(floats, trains);
      floats.norms.outer = false;
      floats.norms.inside.fill(true);
      expect_said(floats, trains);
    }
}

TEST(EngineBytes, AreWhatIsAllocatedWhereGradientsAreRounded) {
  for (const kernels::QuantizedKind kind : {kernels::QuantizedKind::int16, kernels::QuantizedKind::s6})
    for (EnginePlan rounding : {plan(), of_floats()}) {
      rounding.rounding = kind;
      expect_said(rounding, /*trains=*/true);
      rounding.vocab = 100'000;
      expect_said(rounding, /*trains=*/true);
      rounding.d_ff = 200;
      expect_said(rounding, /*trains=*/true);
    }
}

TEST(EngineBytes, GrowWithLayersWhereTheyTrain) {
  EnginePlan deep = plan();
  deep.layers = 4;
  const EngineBytes said = engine_bytes(deep, kSequences, kContext, /*trains=*/true);
  const EngineBytes half = engine_bytes(plan(), kSequences, kContext, /*trains=*/true);
  EXPECT_EQ(said.projections, 2 * half.projections);
  EXPECT_EQ(said.attention, 2 * half.attention);
  EXPECT_EQ(said.ffn, 2 * half.ffn);
  EXPECT_EQ(engine_bytes(deep, kSequences, kContext, /*trains=*/false).ffn,
            engine_bytes(plan(), kSequences, kContext, /*trains=*/false).ffn);
}

}  // namespace
}  // namespace bitsweep::engine
