// Training and validation over tokens of more than a byte, with a byte length each.
#include "data/wide_tokens.h"

#include <cmath>

#include <gtest/gtest.h>

#include "data/dataset.h"
#include "tiny_model.h"
#include "train/evaluate.h"
#include "train/probe.h"
#include "train/stepper.h"

namespace bitsweep::train {
namespace {

data::Dataset wide_dataset() {
  spec::DataSpec spec;
  spec.context = 16;
  const auto source = std::make_shared<data::WideTokens>(20'000);
  return data::Dataset::over(spec, {}, source, source);
}

TEST(WideTokens, AUniformModelScoresLog2OfTheVocabularyPerTokenOverTheBytes) {
  const data::Dataset dataset = wide_dataset();
  TinyModel model(0, 8, data::WideTokens::kVocab);
  {
    const at::NoGradGuard no_grad;
    for (const nn::Parameter& p : model.parameters()) p.tensor.zero_();
  }
  const data::ValidationWindows windows = dataset.validation(8);
  const Validation validation = validate(model, windows, 16, 3, {}, c10::Device(c10::kCPU), Precision::f32);
  const double tokens = 8 * 16, bytes = static_cast<double>(windows.target_bytes(0, 8));
  EXPECT_NE(tokens, bytes);
  EXPECT_NEAR(validation.bits_per_byte, std::log2(data::WideTokens::kVocab) * tokens / bytes, 1e-6);
}

TEST(WideTokens, TrainAsBytesDo) {
  const data::Dataset dataset = wide_dataset();
  spec::RunSpec spec;
  spec.data.context = 16;
  spec.train.batch = 8;
  spec.train.steps = 200;
  spec.train.warmup = 5;
  spec.train.lr = 3e-2;
  TinyModel model(1, 8, data::WideTokens::kVocab);
  const auto optimizer = make_optimizer(spec.train, model.parameters());
  LossMeter losses(1);
  Stepper stepper(spec, dataset, model, *optimizer, losses, c10::Device(c10::kCPU));
  stepper.run(0);
  const double first = losses.mean_nats();
  EXPECT_NEAR(first, std::log(data::WideTokens::kVocab), 0.2);
  for (int64_t step = 1; step < 200; ++step) {
    if (step == 180) losses.begin_interval();
    stepper.run(step);
  }
  EXPECT_LT(losses.mean_nats(), first - 0.5);
}

TEST(WideTokens, RepeatedWindowsDrawFromTheTokensThatOccur) {
  const data::ValidationWindows windows = wide_dataset().validation(4);
  const at::Tensor natural = window_buffer(4, 16, c10::Device(c10::kCPU), windows.width());
  EXPECT_EQ(natural.scalar_type(), at::kInt);
  windows.fill(0, 4, tokens_of(natural));
  const at::Tensor repeated = repeated_windows(natural);
  EXPECT_EQ(repeated.scalar_type(), at::kInt);
  EXPECT_EQ(repeated.sizes(), natural.sizes());
  EXPECT_TRUE(repeated.narrow(1, 0, 8).equal(repeated.narrow(1, 8, 8)));
  for (int64_t i = 0; i < repeated.numel(); ++i) EXPECT_TRUE(natural.eq(repeated.flatten()[i]).any().item<bool>());
}

}  // namespace
}  // namespace bitsweep::train
