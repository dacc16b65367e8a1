// What an engine is said to hold, against what it has allocated.
#include "engine/strict_bytes.h"

#include <gtest/gtest.h>

#include "engine/strict_engine.h"

namespace bitsweep::engine {
namespace {

constexpr int64_t kSequences = 3, kContext = 37;

StrictPlan plan() {
  return {.vocab = 97, .d_model = 60, .layers = 2, .heads = 3, .d_ff = 41, .slopes = std::vector<float>(3)};
}

class OneThread final : public Workers {
 public:
  int64_t count() const override { return 1; }
};

// A model of latents that are all 1, and its gradients.
class OfOnes {
 public:
  explicit OfOnes(const StrictPlan& plan) {
    const int64_t ends = plan.vocab * plan.d_model;
    tensors_.embedding = signs(ends);
    tensors_.codebook = signs(ends);
    for (int64_t layer = 0; layer < plan.layers; ++layer) {
      tensors_.layers.emplace_back();
      for (uint8_t i = 0; i < kLinears; ++i) {
        const auto place = static_cast<LinearPlace>(i);
        tensors_.layers.back()[i] = {signs(plan.inputs(place) * plan.outputs(place)), floats(plan.outputs(place))};
      }
    }
    tensors_.bias = floats(plan.vocab);
    tensors_.logit_scale = floats(1);
  }
  const StrictTensors& tensors() const { return tensors_; }

 private:
  float* ones(int64_t count) { return made_.emplace_back(static_cast<size_t>(count), 1.0f).data(); }
  TrainedSigns signs(int64_t count) { return {.values = {.latents = ones(count)}, .gradient = ones(count)}; }
  TrainedFloats floats(int64_t count) { return {.values = ones(count), .gradient = ones(count)}; }

  std::vector<std::vector<float>> made_;
  StrictTensors tensors_;
};

void expect_said(const StrictPlan& plan, bool trains) {
  OneThread worker;
  StrictEngine engine(plan, worker, /*meter=*/nullptr);
  const OfOnes model(plan);
  const std::vector<int64_t> tokens(kSequences * kContext);
  const StrictPass pass{
      .tokens = tokens.data(), .targets = tokens.data(), .sequences = kSequences, .context = kContext};
  engine.pack(model.tensors());
  if (trains) {
    engine.train(model.tensors(), pass, 1);
  } else {
    std::vector<float> nats(tokens.size());
    std::vector<int64_t> likeliest(tokens.size());
    engine.score(model.tensors(), pass, nats.data(), likeliest.data());
  }
  const StrictBytes said = strict_bytes(plan, kSequences, kContext, trains);
  EXPECT_EQ(said.engine(), engine.bytes());
  EXPECT_GT(said.scratch, 0);
}

TEST(StrictBytes, AreWhatIsAllocated) {
  for (const bool trains : {true, false}) {
    expect_said(plan(), trains);
    StrictPlan other = plan();
    other.clipped = false;
    expect_said(other, trains);
    other.keys = 5;
    expect_said(other, trains);
    expect_said({.vocab = 100'000, .d_model = 8, .layers = 1, .heads = 1, .d_ff = 8, .slopes = {0}}, trains);
  }
}

TEST(StrictBytes, GrowWithLayersWhereTheyTrain) {
  StrictPlan deep = plan();
  deep.layers = 4;
  const StrictBytes said = strict_bytes(deep, kSequences, kContext, /*trains=*/true);
  const StrictBytes half = strict_bytes(plan(), kSequences, kContext, /*trains=*/true);
  EXPECT_EQ(said.projections, 2 * half.projections);
  EXPECT_EQ(said.attention, 2 * half.attention);
  EXPECT_EQ(said.ffn, 2 * half.ffn);
  EXPECT_EQ(strict_bytes(deep, kSequences, kContext, /*trains=*/false).ffn,
            strict_bytes(plan(), kSequences, kContext, /*trains=*/false).ffn);
}

}  // namespace
}  // namespace bitsweep::engine
