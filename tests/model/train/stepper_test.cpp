#include "train/stepper.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tiny_model.h"
#include "tiny_run.h"
#include "train/evaluate.h"
#include "spec/lr_schedule.h"

namespace bitsweep::train {
namespace {

// A model, its optimizer and a stepper over one spec.
struct Rig {
  spec::RunSpec spec;
  data::Dataset dataset;
  TinyModel model{1};
  std::unique_ptr<Optimizer> optimizer;
  LossMeter losses{1};
  std::unique_ptr<Stepper> stepper;

  Rig(const fs::path& folder, spec::RunSpec wanted)
      : spec(std::move(wanted)), dataset(data::Dataset::open(spec.data, folder / "data")) {
    optimizer = make_optimizer(spec.train, model.parameters());
    stepper = std::make_unique<Stepper>(spec, dataset, model, *optimizer, losses, c10::Device(c10::kCPU));
  }
  void run(int64_t steps) {
    for (int64_t step = 0; step < steps; ++step) stepper->run(step);
  }
};

double largest_difference(const nn::Model& a, const nn::Model& b) {
  double most = 0;
  for (size_t i = 0; i < a.parameters().size(); ++i)
    most = std::max(most, (a.parameters()[i].tensor - b.parameters()[i].tensor).abs().max().item<double>());
  return most;
}

TEST(Stepper, AccumulationEqualsTheBiggerBatch) {
  const fs::path folder = fresh_folder();
  spec::RunSpec spec = tiny_spec(folder);
  spec.train.batch = 12;
  Rig whole(folder, spec);
  spec.train.accumulate = 3;
  Rig parts(folder, spec);
  whole.model.noise = parts.model.noise = 0;  // each part has noise of its own
  whole.run(5);
  parts.run(5);
  EXPECT_LT(largest_difference(whole.model, parts.model), 2e-5);
  EXPECT_NEAR(whole.losses.mean_nats(), parts.losses.mean_nats(), 1e-6);
  EXPECT_NEAR(whole.stepper->gradient_norm(), parts.stepper->gradient_norm(), 1e-5);
  EXPECT_EQ(parts.losses.count(), 15);
}

TEST(Stepper, EveryParameterMovesAndTheLossFalls) {
  const fs::path folder = fresh_folder();
  spec::RunSpec spec = tiny_spec(folder);
  spec.train.steps = 60;
  Rig rig(folder, spec);
  const TinyModel before(1);
  rig.run(1);
  const double first = rig.losses.mean_nats();
  rig.run(60);
  rig.losses.begin_interval();
  rig.stepper->run(59);
  EXPECT_LT(rig.losses.mean_nats(), first - 1.0);
  for (size_t i = 0; i < before.parameters().size(); ++i)
    EXPECT_FALSE(at::equal(before.parameters()[i].tensor, rig.model.parameters()[i].tensor));
}

TEST(Stepper, StepsAreFunctionsOfSeedAndStep) {
  const fs::path folder = fresh_folder();
  spec::RunSpec spec = tiny_spec(folder);
  Rig a(folder, spec), b(folder, spec);
  a.run(4);
  at::manual_seed(12345);  // the default generator plays no part
  b.run(4);
  EXPECT_EQ(largest_difference(a.model, b.model), 0.0);
  spec.seed = 1;
  Rig c(folder, spec);
  c.run(4);
  EXPECT_GT(largest_difference(a.model, c.model), 0.0);
}

TEST(Stepper, ModelsSeeTheirPlaceInTheRunAndDistinctNoise) {
  const fs::path folder = fresh_folder();
  spec::RunSpec spec = tiny_spec(folder);
  spec.train.accumulate = 2;
  Rig rig(folder, spec);
  std::vector<int64_t> steps;
  std::vector<uint64_t> seeds;
  rig.model.on_step = [&](const nn::StepContext& context) {
    EXPECT_TRUE(context.training);
    EXPECT_EQ(context.total_steps, 20);
    steps.push_back(context.step);
    seeds.push_back(context.noise.current_seed());
  };
  rig.run(3);
  EXPECT_EQ(steps, (std::vector<int64_t>{0, 0, 1, 1, 2, 2}));
  std::sort(seeds.begin(), seeds.end());
  EXPECT_EQ(std::unique(seeds.begin(), seeds.end()), seeds.end());
}

TEST(Stepper, Bf16ComputesInBf16AndKeepsF32State) {
  const fs::path folder = fresh_folder();
  spec::RunSpec spec = tiny_spec(folder);
  Rig f32(folder, spec);
  spec.train.precision = "bf16";
  Rig bf16(folder, spec);
  f32.run(10);
  bf16.run(10);
  EXPECT_EQ(f32.model.seen_type, at::kFloat);
  EXPECT_EQ(bf16.model.seen_type, at::kBFloat16);
  EXPECT_EQ(bf16.model.parameters()[0].tensor.scalar_type(), at::kFloat);
  EXPECT_NEAR(f32.losses.mean_nats(), bf16.losses.mean_nats(), 0.02);
  EXPECT_FALSE(at::autocast::is_autocast_enabled(at::kCPU));
}

TEST(Stepper, ABadLossIsNotLearnedFrom) {
  const fs::path folder = fresh_folder();
  Rig rig(folder, tiny_spec(folder)), twin(folder, tiny_spec(folder));
  rig.model.nan_at_step = 3;
  rig.run(4);
  twin.run(3);
  EXPECT_EQ(rig.losses.first_non_finite(), 3);
  EXPECT_EQ(largest_difference(rig.model, twin.model), 0.0);
}

TEST(Stepper, RefusesWhatDoesNotFit) {
  const fs::path folder = fresh_folder();
  for (const auto& change : std::vector<std::function<void(spec::TrainSpec&)>>{
           [](spec::TrainSpec& t) { t.accumulate = 3; }, [](spec::TrainSpec& t) { t.accumulate = 0; },
           [](spec::TrainSpec& t) { t.batch = 0; }, [](spec::TrainSpec& t) { t.schedule = "cubic"; },
           [](spec::TrainSpec& t) { t.precision = "f8"; }, [](spec::TrainSpec& t) { t.gradients = "int61"; },
           [](spec::TrainSpec& t) { t.gradients = "s6"; }, [](spec::TrainSpec& t) { t.optimizer = "sgd"; }}) {
    spec::RunSpec spec = tiny_spec(folder);
    change(spec.train);
    try {
      Rig rig(folder, spec);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
    }
  }
}

TEST(Evaluate, AUniformModelScoresLog2OfTheVocabulary) {
  const fs::path folder = fresh_folder();
  spec::RunSpec spec = tiny_spec(folder);
  const data::Dataset dataset = data::Dataset::open(spec.data, folder / "data");
  TinyModel model;
  {
    const at::NoGradGuard no_grad;
    for (const nn::Parameter& p : model.parameters()) p.tensor.zero_();
  }
  const Validation validation =
      validate(model, dataset.validation(8), 16, 3, {}, c10::Device(c10::kCPU), Precision::f32);
  EXPECT_NEAR(validation.bits_per_byte, 8.0, 1e-6);
  EXPECT_FALSE(validation.answers.has_value());
}

TEST(Evaluate, TheBatchSizeDoesNotMatter) {
  const fs::path folder = fresh_folder();
  const data::Dataset dataset = data::Dataset::open(tiny_spec(folder).data, folder / "data");
  TinyModel model(5);
  const auto bpc = [&](int64_t batch) {
    return validate(model, dataset.validation(10), 16, batch, {}, c10::Device(c10::kCPU), Precision::f32).bits_per_byte;
  };
  EXPECT_NEAR(bpc(1), bpc(10), 1e-7);
  EXPECT_NEAR(bpc(4), bpc(10), 1e-7);
}

TEST(Evaluate, LogitsOfAnotherShapeAreTheModelsFault) {
  struct Flat : nn::Model {
    Flat() { w = add_parameter("w", at::zeros({16, 256})); }
    at::Tensor forward(const at::Tensor&, const nn::StepContext&) override { return w; }
    at::Tensor w;
  } model;
  const TokenBatch batch = to_device(at::zeros({1, 17}, at::kByte), c10::Device(c10::kCPU));
  EXPECT_EQ(batch.inputs.sizes(), (at::IntArrayRef{1, 16}));
  try {
    token_nats(model, batch, {}, Precision::f32, true);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::failed);
    EXPECT_NE(std::string(error.what()).find("[16, 256]"), std::string::npos);
  }
}

}  // namespace
}  // namespace bitsweep::train
