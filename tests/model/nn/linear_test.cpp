#include <cmath>

#include "nn/alpha_linear.h"
#include "nn/linear.h"
#include "nn/sign_linear.h"
#include "nn/strict_linear.h"
#include "nn/tensors.h"

namespace bitsweep::nn {
namespace {

at::Tensor composed_end(const at::Tensor& y, OutputSign output) {
  return output == OutputSign::none ? y : composed_sign(y, output == OutputSign::clipped);
}

at::Tensor composed_strict(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& threshold, double scale,
                           OutputSign output) {
  return composed_end(at::linear(x, composed_sign(weight, false)) * scale - threshold, output);
}

at::Tensor composed_alpha(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& threshold,
                          OutputSign output) {
  const at::Tensor alpha = weight.abs().mean(1);
  return composed_end(at::linear(x, composed_sign(weight, false)) * alpha - threshold, output);
}

using LinearCase = std::tuple<Path, OutputSign, bool>;

// x is ±1 for the strict linear, float for α.
class SignLinearCase : public testing::TestWithParam<LinearCase> {
 protected:
  void compare(int64_t batch, int64_t context, int64_t d_in, int64_t d_out) {
    const auto& [path, output, alpha] = GetParam();
    const ForcePath forced(path);
    const at::Tensor data = alpha ? normal({batch, context, d_in}, 1) : signs({batch, context, d_in}, 1);
    std::vector<at::Tensor> mine{leaf(data), leaf(normal({d_out, d_in}, 2, 0.3)), leaf(normal({d_out}, 3, 0.3))};
    std::vector<at::Tensor> theirs{leaf(mine[0]), leaf(mine[1]), leaf(mine[2])};
    const double scale = 1 / std::sqrt(static_cast<double>(d_in));
    const at::Tensor y = alpha ? sign_linear_alpha(mine[0], mine[1], mine[2], output)
                               : sign_linear(mine[0], mine[1], mine[2], scale, output);
    const at::Tensor expected = alpha ? composed_alpha(theirs[0], theirs[1], theirs[2], output)
                                      : composed_strict(theirs[0], theirs[1], theirs[2], scale, output);
    EXPECT_TRUE(near(y, expected, 1e-6));
    const auto got = gradients_of(y, mine), want = gradients_of(expected, theirs);
    EXPECT_TRUE(near(got[0], want[0], 1e-5)) << "x";
    EXPECT_TRUE(near(got[1], want[1], 1e-5)) << "weight";
    EXPECT_TRUE(near(got[2], want[2], 1e-5)) << "threshold";
  }
};

TEST_P(SignLinearCase, EqualsTheComposition) { compare(3, 11, 64, 40); }
TEST_P(SignLinearCase, EqualsTheCompositionAtOddSizes) { compare(1, 3, 37, 129); }
TEST_P(SignLinearCase, EqualsTheCompositionForOneNumber) { compare(1, 1, 1, 1); }

std::string case_name(const testing::TestParamInfo<LinearCase>& info) {
  const auto& [path, output, alpha] = info.param;
  const char* outputs[] = {"None", "Clipped", "Identity"};
  return std::string(alpha ? "Alpha" : "Strict") + outputs[static_cast<int>(output)] +
         (path == Path::reference ? "Reference" : "FusedCpu");
}

INSTANTIATE_TEST_SUITE_P(
    All, SignLinearCase,
    testing::Combine(kPaths, testing::Values(OutputSign::none, OutputSign::clipped, OutputSign::identity),
                     testing::Bool()),
    case_name);

TEST(StrictLinear, SumsAreExactIntegersOfTheRightParity) {
  const int64_t d_in = 96;
  const at::Tensor y = sign_linear(signs({7, d_in}, 1), normal({20, d_in}, 2), at::zeros({20}), 1.0, OutputSign::none);
  EXPECT_TRUE(same(y.remainder(2), at::zeros_like(y)));
  EXPECT_LE(y.abs().max().item<double>(), 96);
}

TEST(StrictLinear, ThresholdShiftsTheDecision) {
  const at::Tensor x = at::ones({1, 4}), weight = at::ones({2, 4});
  // The sum is 4, scaled 2: at a threshold of exactly 2 the output is 0, hence +1.
  const at::Tensor y = sign_linear(x, weight, at::tensor({2.0f, 2.001f}), 0.5, OutputSign::clipped);
  EXPECT_TRUE(same(y, at::tensor({1.0f, -1.0f}).view({1, 2})));
}

TEST(StrictLinear, WeightGradientIsNotClipped) {
  const at::Tensor x = at::ones({1, 2}), threshold = at::zeros({1});
  const at::Tensor weight = leaf(at::tensor({5.0f, -7.0f}).view({1, 2}));
  sign_linear(x, weight, threshold, 0.5, OutputSign::clipped).sum().backward();
  EXPECT_TRUE(same(weight.grad(), at::tensor({0.5f, 0.5f}).view({1, 2})));
}

TEST(StrictLinear, PathsAgreeBitForBit) {
  const at::Tensor x = signs({64, 80}, 1), weight = normal({72, 80}, 2), threshold = normal({72}, 3);
  for (const OutputSign output : {OutputSign::none, OutputSign::clipped}) {
    at::Tensor reference, fused;
    { const ForcePath forced(Path::reference); reference = sign_linear(x, weight, threshold, 0.125, output); }
    { const ForcePath forced(Path::fused_cpu); fused = sign_linear(x, weight, threshold, 0.125, output); }
    EXPECT_TRUE(same(fused, reference));
  }
}

TEST(StrictLinear, ARowDoesNotDependOnItsBatch) {
  const at::Tensor x = signs({50, 96}, 1), weight = normal({33, 96}, 2), threshold = normal({33}, 3, 0.1);
  const at::Tensor all = sign_linear(x, weight, threshold, 0.1, OutputSign::none);
  for (const int64_t row : {0, 17, 49}) {
    const at::Tensor one = sign_linear(x.narrow(0, row, 1), weight, threshold, 0.1, OutputSign::none);
    EXPECT_TRUE(same(one, all.narrow(0, row, 1)));
  }
}

TEST(StrictLinear, FrozenWeightStillPassesGradientToItsInput) {
  const at::Tensor x = leaf(signs({4, 8}, 1)), weight = normal({3, 8}, 2), threshold = leaf(at::zeros({3}));
  sign_linear(x, weight, threshold, 1.0, OutputSign::none).sum().backward();
  EXPECT_TRUE(x.grad().defined());
  EXPECT_TRUE(threshold.grad().defined());
  EXPECT_FALSE(weight.grad().defined());
}

TEST(AlphaLinear, ScaleIsTheMeanOfEachOutputsWeights) {
  const at::Tensor weight = at::tensor({1.0f, -3.0f, 0.5f, 0.25f, 0.0f, 0.0f}).view({3, 2});
  const at::Tensor y = sign_linear_alpha(at::ones({1, 2}), weight, at::zeros({3}), OutputSign::none);
  EXPECT_TRUE(same(y, at::tensor({0.0f, 0.75f, 0.0f}).view({1, 3})));
}

TEST(AlphaLinear, ScalingOneChannelScalesOnlyItsOutput) {
  const at::Tensor x = normal({5, 16}, 1), weight = normal({4, 16}, 2);
  at::Tensor scaled = weight.clone();
  scaled[2].mul_(4);
  const at::Tensor before = sign_linear_alpha(x, weight, at::zeros({4}), OutputSign::none);
  const at::Tensor after = sign_linear_alpha(x, scaled, at::zeros({4}), OutputSign::none);
  EXPECT_TRUE(same(after.select(1, 2), before.select(1, 2) * 4));
  EXPECT_TRUE(same(after.narrow(1, 0, 2), before.narrow(1, 0, 2)));
}

TEST(AlphaLinear, AllZeroWeightsGiveFiniteGradients) {
  const at::Tensor x = leaf(normal({5, 16}, 1)), weight = leaf(at::zeros({4, 16})), threshold = leaf(at::zeros({4}));
  for (const at::Tensor& gradient :
       gradients_of(sign_linear_alpha(x, weight, threshold, OutputSign::clipped), {x, weight, threshold})) {
    EXPECT_TRUE(gradient.isfinite().all().item<bool>());
  }
}

TEST(AlphaLinear, InputGradientIsTheFiniteDifference) {
  const at::Tensor weight = normal({6, 10}, 2), threshold = normal({6}, 3), x = leaf(normal({1, 10}, 1));
  const at::Tensor gradient = gradients_of(sign_linear_alpha(x, weight, threshold, OutputSign::none), {x})[0];
  for (int64_t i = 0; i < 10; ++i) {
    at::Tensor step = at::zeros({1, 10});
    step[0][i] = 0.5;  // the map is linear in x: the step may be large
    const auto f = [&](const at::Tensor& at_x) {
      return (sign_linear_alpha(at_x, weight, threshold, OutputSign::none) * normal({1, 6}, 99)).sum().item<double>();
    };
    const at::Tensor base = x.detach();
    EXPECT_NEAR(gradient[0][i].item<double>(), f(base + step) - f(base - step), 1e-4);
  }
}

class LinearAutocast : public testing::TestWithParam<bool> {};

TEST_P(LinearAutocast, ComputesInBf16AndKeepsF32Masters) {
  const at::Tensor x = leaf(signs({4, 9, 64}, 1)), weight = leaf(normal({32, 64}, 2));
  const at::Tensor threshold = leaf(at::zeros({32}));
  at::Tensor y;
  {
    const Autocast autocast;
    y = GetParam() ? sign_linear_alpha(x, weight, threshold, OutputSign::clipped)
                   : sign_linear(x, weight, threshold, 0.125, OutputSign::clipped);
  }
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  const auto gradients = gradients_of(y, {x, weight, threshold});
  for (const at::Tensor& gradient : gradients) EXPECT_EQ(gradient.scalar_type(), at::kFloat);
  const at::Tensor exact = leaf(x), exact_weight = leaf(weight), exact_threshold = leaf(threshold);
  const at::Tensor z = GetParam() ? sign_linear_alpha(exact, exact_weight, exact_threshold, OutputSign::clipped)
                                  : sign_linear(exact, exact_weight, exact_threshold, 0.125, OutputSign::clipped);
  // Sums of 64 signs are exact in bf16, so the decisions are those of f32.
  EXPECT_TRUE(same(y.to(at::kFloat), z));
  EXPECT_TRUE(near(gradients[1], gradients_of(z, {exact, exact_weight, exact_threshold})[1], 0.02));
}

INSTANTIATE_TEST_SUITE_P(StrictAndAlpha, LinearAutocast, testing::Bool());

}  // namespace
}  // namespace bitsweep::nn
