#include "train/adamw.h"

#include <cmath>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "train/gradients.h"
#include "train/loss_meter.h"

namespace bitsweep::train {
namespace {

std::vector<nn::Parameter> two_parameters() {
  return {{"w", at::randn({3, 5}).set_requires_grad(true), true}, {"b", at::randn({5}).set_requires_grad(true), false}};
}

// The published algorithm in double precision.
struct Reference {
  at::Tensor w, m, v;
  double decay;
  void step(const at::Tensor& gradient, int t, const spec::TrainSpec& train) {
    const at::Tensor g = gradient.to(at::kDouble);
    w = w * (1 - train.lr * decay);
    m = train.beta1 * m + (1 - train.beta1) * g;
    v = train.beta2 * v + (1 - train.beta2) * g * g;
    const at::Tensor m_hat = m / (1 - std::pow(train.beta1, t)), v_hat = v / (1 - std::pow(train.beta2, t));
    w = w - train.lr * m_hat / (v_hat.sqrt() + train.eps);
  }
};

TEST(AdamW, FollowsTheReferenceFormulaInBothGroups) {
  at::manual_seed(3);
  spec::TrainSpec train;
  train.lr = 0.02;
  train.weight_decay = 0.3;
  std::vector<nn::Parameter> parameters = two_parameters();
  AdamW optimizer(train, parameters);
  std::vector<Reference> references;
  for (const nn::Parameter& p : parameters) {
    const at::Tensor w = p.tensor.detach().to(at::kDouble).clone();
    references.push_back({w, at::zeros_like(w), at::zeros_like(w), p.decay ? train.weight_decay : 0.0});
  }
  for (int t = 1; t <= 20; ++t) {
    for (size_t i = 0; i < parameters.size(); ++i) {
      const at::Tensor gradient = at::randn_like(parameters[i].tensor).detach();
      parameters[i].tensor.mutable_grad() = gradient.clone();
      references[i].step(gradient, t, train);
    }
    optimizer.step(train.lr, {});
  }
  for (size_t i = 0; i < parameters.size(); ++i)
    EXPECT_LT((parameters[i].tensor.detach().to(at::kDouble) - references[i].w).abs().max().item<double>(), 1e-6);
}

TEST(AdamW, DecayEndsWithItsPartOfTheStepsAlsoAfterAResume) {
  at::manual_seed(5);
  spec::TrainSpec train;
  train.steps = 8;
  train.weight_decay = 0.5;
  train.weight_decay_until = 0.5;
  std::vector<nn::Parameter> parameters = two_parameters();
  AdamW optimizer(train, parameters);
  const auto step_on_zeros = [&](AdamW& by) {
    for (nn::Parameter& p : parameters) p.tensor.mutable_grad() = at::zeros_like(p.tensor);
    const at::Tensor before = parameters[0].tensor.detach().clone();
    by.step(0.1, {});
    return (parameters[0].tensor.detach() / before).mean().item<double>();
  };
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(step_on_zeros(optimizer), 0.95, 1e-6);
  AdamW resumed(train, parameters);
  std::vector<NamedTensor> from = optimizer.state(), to = resumed.state();
  for (size_t i = 0; i < to.size(); ++i) to[i].tensor.copy_(from[i].tensor);
  EXPECT_NEAR(step_on_zeros(resumed), 0.95, 1e-6);
  for (int i = 4; i < 8; ++i) EXPECT_EQ(step_on_zeros(resumed), 1.0);
}

TEST(AdamW, TheDivisorDividesGradients) {
  at::manual_seed(4);
  const spec::TrainSpec train;
  std::vector<nn::Parameter> a = two_parameters(), b = two_parameters();
  for (size_t i = 0; i < a.size(); ++i) {
    b[i].tensor = a[i].tensor.detach().clone().set_requires_grad(true);
    const at::Tensor gradient = at::randn_like(a[i].tensor).detach();
    a[i].tensor.mutable_grad() = gradient.clone();
    b[i].tensor.mutable_grad() = gradient / 4;
  }
  AdamW(train, a).step(0.1, at::full({}, 4.0));
  AdamW(train, b).step(0.1, {});
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(at::equal(a[i].tensor, b[i].tensor));
}

// Tensors that end within a block and beyond one.
std::vector<nn::Parameter> many_parameters() {
  at::manual_seed(6);
  std::vector<nn::Parameter> parameters;
  for (const int64_t rows : {1, 37, 900})
    parameters.push_back({"w" + std::to_string(rows), at::randn({rows, 50}).set_requires_grad(true), rows > 1});
  for (nn::Parameter& p : parameters) p.tensor.mutable_grad() = at::randn_like(p.tensor).detach();
  return parameters;
}

TEST(AdamW, IsTheSameBitsWithAnyNumberOfThreads) {
  const int before = at::get_num_threads();
  std::vector<at::Tensor> first;
  double norm = 0;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    const std::vector<nn::Parameter> parameters = many_parameters();
    AdamW optimizer(spec::TrainSpec{}, parameters);
    const at::Tensor of_gradients = gradient_norm(parameters);
    for (int step = 0; step < 3; ++step) optimizer.step(0.1, clip_divisor(of_gradients, 1.0));
    if (threads == 1) norm = of_gradients.item<double>();
    EXPECT_EQ(of_gradients.item<double>(), norm);
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (threads == 1) first.push_back(parameters[i].tensor.detach());
      EXPECT_TRUE(at::equal(parameters[i].tensor.detach(), first[i]));
    }
  }
  at::set_num_threads(before);
}

TEST(AdamW, ParametersThatLieOtherwiseAreUpdatedAlike) {
  std::vector<nn::Parameter> plain = many_parameters(), turned = many_parameters();
  for (nn::Parameter& p : turned) {  // columns first, which LibTorch's kernel takes; their gradients are not
    const at::Tensor gradient = p.tensor.grad().clone();
    p.tensor = p.tensor.detach().t().contiguous().t().set_requires_grad(true);
    p.tensor.mutable_grad() = gradient;
  }
  EXPECT_NEAR(gradient_norm(plain).item<double>(), gradient_norm(turned).item<double>(), 1e-3);
  AdamW one(spec::TrainSpec{}, plain), other(spec::TrainSpec{}, turned);
  for (int step = 0; step < 4; ++step) {
    one.step(0.1, at::full({}, 3.0));
    other.step(0.1, at::full({}, 3.0));
    for (nn::Parameter& p : turned) p.tensor.mutable_grad() = at::randn_like(p.tensor).detach();
    for (size_t i = 0; i < plain.size(); ++i) plain[i].tensor.mutable_grad() = turned[i].tensor.grad().clone();
  }
  for (size_t i = 0; i < plain.size(); ++i)
    EXPECT_LT((plain[i].tensor - turned[i].tensor).detach().abs().max().item<double>(), 1e-5);
}

TEST(AdamW, FrozenParametersHaveNoStateAndNeverMove) {
  std::vector<nn::Parameter> parameters = two_parameters();
  parameters[0].tensor.set_requires_grad(false);
  AdamW optimizer(spec::TrainSpec{}, parameters);
  const at::Tensor before = parameters[0].tensor.clone();
  parameters[1].tensor.mutable_grad() = at::ones({5});
  optimizer.step(0.1, {});
  EXPECT_TRUE(at::equal(before, parameters[0].tensor));
  ASSERT_EQ(optimizer.state().size(), 3u);
  EXPECT_EQ(optimizer.state()[1].name, "exp_avg.b");
}

TEST(AdamW, NothingToTrainIsAnInputError) {
  std::vector<nn::Parameter> parameters = two_parameters();
  for (nn::Parameter& p : parameters) p.tensor.set_requires_grad(false);
  EXPECT_THROW(AdamW(spec::TrainSpec{}, parameters), Error);
}

TEST(AdamW, AParameterWithoutAGradientIsPassedOver) {
  std::vector<nn::Parameter> parameters = two_parameters();
  AdamW optimizer(spec::TrainSpec{}, parameters);
  const at::Tensor before = parameters[0].tensor.detach().clone();
  parameters[1].tensor.mutable_grad() = at::ones({5});
  optimizer.step(0.1, {});
  EXPECT_TRUE(at::equal(before, parameters[0].tensor.detach()));
}

TEST(Optimizer, AnUnknownNameNamesTheNearest) {
  spec::TrainSpec train;
  train.optimizer = "adamv";
  try {
    make_optimizer(train, two_parameters());
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'adamw'"), std::string::npos);
  }
}

TEST(Gradients, NormIsGlobalAndClippingLeavesSmallOnesAlone) {
  std::vector<nn::Parameter> parameters = two_parameters();
  EXPECT_EQ(gradient_norm(parameters).item<double>(), 0.0);
  parameters[0].tensor.mutable_grad() = at::zeros({3, 5});
  parameters[0].tensor.mutable_grad().select(0, 0).fill_(3.0 / std::sqrt(5.0));
  parameters[1].tensor.mutable_grad() = at::full({5}, 4.0 / std::sqrt(5.0));
  const at::Tensor norm = gradient_norm(parameters);
  EXPECT_NEAR(norm.item<double>(), 5.0, 1e-6);
  EXPECT_NEAR(clip_divisor(norm, 1.0).item<double>(), 5.0, 1e-6);
  EXPECT_FALSE(clip_divisor(norm, 10.0).defined());
  EXPECT_TRUE(std::isnan(clip_divisor(at::full({}, std::nan("")), 1.0).item<double>()));
  EXPECT_FALSE(clip_divisor(norm, 0).defined());
  drop_gradients(parameters);
  EXPECT_FALSE(parameters[0].tensor.grad().defined());
}

TEST(LossMeter, FindsTheFirstBadStepAlsoWhenReadInGroups) {
  for (const int64_t group : {1, 4, 100}) {
    LossMeter meter(group);
    for (int64_t step = 0; step < 10; ++step)
      meter.add(step, at::full({}, step >= 6 ? std::nan("") : 1.0 + static_cast<double>(step)));
    meter.flush();
    EXPECT_EQ(meter.first_non_finite(), 6) << group;
  }
}

TEST(LossMeter, MeanIsOfTheIntervalAndSurvivesRestore) {
  LossMeter meter(3);
  EXPECT_TRUE(std::isnan(meter.mean_nats()));
  meter.add(0, at::full({}, 1.0));
  meter.add(1, at::full({}, 2.0));
  EXPECT_DOUBLE_EQ(meter.mean_nats(), 1.5);
  LossMeter other(1);
  other.restore(meter.sum_nats(), meter.count());
  other.add(2, at::full({}, 6.0));
  EXPECT_DOUBLE_EQ(other.mean_nats(), 3.0);
  other.begin_interval();
  EXPECT_EQ(other.count(), 0);
}

}  // namespace
}  // namespace bitsweep::train
