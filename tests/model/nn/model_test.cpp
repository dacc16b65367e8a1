#include "base/error.h"
#include "nn/alpha_linear.h"
#include "nn/module.h"
#include "nn/sign.h"
#include "nn/tensors.h"

namespace bitsweep::nn {
namespace {

TEST(ParameterSink, NamesAreDottedPathsInOrder) {
  Registry model;
  const ParameterSink layer = ParameterSink(model, "layers").scope("3");
  const AlphaLinear q(layer.scope("q"), 4, 2, OutputSign::none);
  ParameterSink(model).constant("bias", {2}, 1.5);
  ASSERT_EQ(model.parameters().size(), 3u);
  EXPECT_EQ(model.parameters()[0].name, "layers.3.q.weight");
  EXPECT_EQ(model.parameters()[1].name, "layers.3.q.threshold");
  EXPECT_EQ(model.parameters()[2].name, "bias");
}

TEST(ParameterSink, MatricesDecayAndVectorsDoNot) {
  Registry model;
  ParameterSink(model).normal("weight", {4, 4}, 0.02);
  ParameterSink(model).constant("threshold", {4}, 0);
  EXPECT_TRUE(model.parameters()[0].decay);
  EXPECT_FALSE(model.parameters()[1].decay);
}

TEST(ParameterSink, TheSameNameTwiceIsRefused) {
  Registry model;
  ParameterSink(model, "a").constant("b", {1}, 0);
  EXPECT_THROW(ParameterSink(model).constant("a.b", {1}, 0), Error);
}

TEST(ParameterSink, LatentsHaveTheSpreadAskedFor) {
  Registry model;
  const at::Tensor weight = ParameterSink(model).normal("weight", {200, 200}, kLatentSd);
  EXPECT_NEAR(weight.mean().item<double>(), 0, 5e-4);
  EXPECT_NEAR(weight.std().item<double>(), 0.02, 5e-4);
  EXPECT_TRUE(weight.is_leaf());
  EXPECT_TRUE(weight.requires_grad());
}

TEST(ParameterSink, InitialWeightsFollowTheDefaultGenerator) {
  const auto first_weight = [](uint64_t seed) {
    at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
    generator.set_current_seed(seed);
    Registry model;
    return ParameterSink(model).normal("weight", {8, 8}, 1).detach().clone();
  };
  EXPECT_TRUE(same(first_weight(5), first_weight(5)));
  EXPECT_FALSE(first_weight(5).equal(first_weight(6)));
}

TEST(Model, MovingKeepsTheHandlesOfTheBlocks) {
  Registry model;
  const at::Tensor handle = ParameterSink(model).normal("weight", {3, 3}, 1);
  const at::Tensor before = handle.detach().clone();
  model.to(at::kCPU);
  EXPECT_TRUE(handle.is_same(model.parameters()[0].tensor));
  EXPECT_TRUE(same(handle, before));
  EXPECT_TRUE(handle.requires_grad());
}

TEST(StepContext, ProgressRunsFromZeroToOne) {
  StepContext context;
  context.total_steps = 5;
  EXPECT_DOUBLE_EQ(context.progress(), 0.0);
  context.step = 4;
  EXPECT_DOUBLE_EQ(context.progress(), 1.0);
  context.total_steps = 1;
  context.step = 0;
  EXPECT_DOUBLE_EQ(context.progress(), 1.0);
}

TEST(WithKernels, EndsWithItsScope) {
  const at::Tensor x = at::ones({1});
  EXPECT_NE(kernel_for<kernels::Operation::sign>(x), nullptr);
  {
    const WithKernels none(kernels::no_kernels());
    EXPECT_EQ(kernel_for<kernels::Operation::sign>(x), nullptr);
  }
  EXPECT_NE(kernel_for<kernels::Operation::sign>(x), nullptr);
  EXPECT_EQ(kernel_for<kernels::Operation::sign>(x.to(at::kBFloat16)), nullptr);
}

// A second implementation beside the loops, for narrow rows alone: the block takes it where it serves.
int calls_of_narrow = 0;
void narrow_residual_sign(const float* x, const float* a, const float* b, float* out, int64_t count) {
  ++calls_of_narrow;
  for (int64_t i = 0; i < count; ++i) out[i] = x[i] + a[i] + b[i] >= 0 ? 1.0f : -1.0f;
}

TEST(WithKernels, ABlockTakesTheFirstRowThatServes) {
  kernels::KernelTable table;
  table.add<kernels::Operation::residual_sign>({.name = "narrow", .most_columns = 8}, narrow_residual_sign);
  const WithKernels kernels(table);
  for (const int64_t columns : {8, 9}) {
    const at::Tensor x = at::randn({5, columns}), a = at::randn({5, columns}), b = at::randn({5, columns});
    calls_of_narrow = 0;
    const at::Tensor out = residual_sign(x, a, b);
    EXPECT_EQ(calls_of_narrow > 0, columns == 8);
    EXPECT_TRUE(at::equal(out, (x + a + b).ge(0).to(at::kFloat) * 2 - 1));
  }
}

}  // namespace
}  // namespace bitsweep::nn
