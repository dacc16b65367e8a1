#include "nn/bitnet_linear.h"

#include <limits>

#include "nn/tensors.h"

namespace bitsweep::nn {
namespace {

// value in the forward pass, the gradient of `through`.
at::Tensor straight(const at::Tensor& through, const at::Tensor& value) { return through + (value - through).detach(); }

// The formulas of the papers, one operation at a time: quantized values, not codes.
at::Tensor composed_activations(const at::Tensor& x) {
  const at::Tensor s = 127.0 / x.detach().abs().amax(-1, true).clamp_min(1e-5);
  return straight(x, (x * s).round().clamp(-128, 127) / s);
}
at::Tensor composed_weight(const at::Tensor& w, WeightCode code) {
  const at::Tensor fixed = w.detach();
  if (code == WeightCode::ternary) {
    const at::Tensor s = 1.0 / fixed.abs().mean().clamp_min(1e-5);
    return straight(w, (fixed * s).round().clamp(-1, 1) / s);
  }
  return straight(w, at::where((fixed - fixed.mean()).ge(0), 1.0, -1.0) * fixed.abs().mean());
}

using QuantCase = std::tuple<Path, WeightCode>;

class QuantLinear : public testing::TestWithParam<QuantCase> {
 protected:
  ForcePath path_{std::get<0>(GetParam())};
  WeightCode code_ = std::get<1>(GetParam());

  void compare(at::IntArrayRef x_shape, int64_t d_out) {
    const int64_t d_in = x_shape.back();
    std::vector<at::Tensor> mine{leaf(normal(x_shape, 1, 3.0)), leaf(normal({d_out, d_in}, 2, 0.02) + 0.003)};
    std::vector<at::Tensor> theirs{leaf(mine[0].to(at::kDouble)), leaf(mine[1].to(at::kDouble))};
    const at::Tensor y = quant_linear(mine[0], mine[1], code_);
    const at::Tensor expected = at::linear(composed_activations(theirs[0]), composed_weight(theirs[1], code_));
    EXPECT_TRUE(near(y, expected, 1e-5));
    const auto got = gradients_of(y, mine), want = gradients_of(expected, theirs);
    EXPECT_TRUE(near(got[0], want[0], 1e-5)) << "x";
    EXPECT_TRUE(near(got[1], want[1], 1e-5)) << "weight";
  }
};

TEST_P(QuantLinear, EqualsTheComposition) { compare({3, 11, 64}, 40); }
TEST_P(QuantLinear, EqualsTheCompositionAtOddSizes) { compare({1, 3, 37}, 129); }
TEST_P(QuantLinear, EqualsTheCompositionForOneRow) { compare({5}, 3); }

TEST_P(QuantLinear, AllZeroWeightsGiveFiniteValuesAndGradients) {
  const at::Tensor x = leaf(normal({5, 16}, 1)), weight = leaf(at::zeros({4, 16}));
  const at::Tensor y = quant_linear(x, weight, code_);
  EXPECT_TRUE(same(y, at::zeros({5, 4})));
  const auto gradients = gradients_of(y, {x, weight});
  for (const at::Tensor& gradient : gradients) EXPECT_TRUE(gradient.isfinite().all().item<bool>());
  EXPECT_GT(gradients[1].abs().sum().item<double>(), 0);  // so that it can leave 0
}

TEST_P(QuantLinear, AZeroRowStaysZero) {
  const at::Tensor x = leaf(at::zeros({2, 16})), weight = leaf(normal({4, 16}, 2));
  const at::Tensor y = quant_linear(x, weight, code_);
  EXPECT_TRUE(same(y, at::zeros({2, 4})));
  EXPECT_TRUE(gradients_of(y, {x, weight})[0].isfinite().all().item<bool>());
}

TEST_P(QuantLinear, ARowsScaleIsItsOwn) {
  const at::Tensor x = normal({6, 32}, 1), weight = normal({8, 32}, 2);
  const at::Tensor before = quant_linear(x, weight, code_);
  at::Tensor louder = x.clone();
  louder[5].mul_(1000);
  EXPECT_TRUE(same(quant_linear(louder, weight, code_).narrow(0, 0, 5), before.narrow(0, 0, 5)));
}

TEST_P(QuantLinear, NotANumberIsNotHidden) {
  const at::Tensor weight = normal({8, 40}, 2);
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    at::Tensor x = normal({3, 40}, 1);
    x[1][7] = bad;
    const at::Tensor y = quant_linear(x, weight, code_);
    EXPECT_FALSE(y[1].isfinite().any().item<bool>());
    EXPECT_TRUE(y[0].isfinite().all().item<bool>() && y[2].isfinite().all().item<bool>());
  }
}

TEST_P(QuantLinear, ComputesInBf16AndKeepsF32Masters) {
  const at::Tensor x = leaf(normal({4, 9, 64}, 1)), weight = leaf(normal({32, 64}, 2));
  at::Tensor y;
  {
    const Autocast autocast;
    y = quant_linear(x, weight, code_);
  }
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  for (const at::Tensor& gradient : gradients_of(y, {x, weight})) EXPECT_EQ(gradient.scalar_type(), at::kFloat);
  EXPECT_TRUE(near(y, quant_linear(x, weight, code_), 0.03));
}

TEST_P(QuantLinear, FrozenWeightStillPassesGradientToItsInput) {
  const at::Tensor x = leaf(normal({4, 8}, 1)), weight = normal({3, 8}, 2);
  quant_linear(x, weight, code_).sum().backward();
  EXPECT_TRUE(x.grad().defined());
  EXPECT_FALSE(weight.grad().defined());
}

INSTANTIATE_TEST_SUITE_P(All, QuantLinear,
                         testing::Combine(kPaths, testing::Values(WeightCode::ternary, WeightCode::binary)));

class CodeWeight : public testing::TestWithParam<Path> {
 protected:
  ForcePath path_{GetParam()};
};

TEST_P(CodeWeight, TernaryRoundsHalvesToZeroAndClamps) {
  // mean |w| = 1
  const at::Tensor w = at::tensor({0.5f, -0.5f, 0.51f, -0.51f, 0.0f, 1.4f, -2.58f, 2.0f}).view({2, 4});
  const CodedWeight coded = code_weight(w, WeightCode::ternary, at::kFloat);
  EXPECT_NEAR(coded.scale.item<double>(), 1, 1e-6);
  EXPECT_TRUE(same(coded.codes, at::tensor({0.f, 0.f, 1.f, -1.f, 0.f, 1.f, -1.f, 1.f}).view({2, 4})));
}

TEST_P(CodeWeight, BinaryIsTheSignAroundTheMean) {
  const at::Tensor w = at::tensor({1.0f, 2.0f, 3.0f, 6.0f}).view({2, 2});  // mean 3
  const CodedWeight coded = code_weight(w, WeightCode::binary, at::kFloat);
  EXPECT_NEAR(coded.scale.item<double>(), 3, 1e-6);
  EXPECT_TRUE(same(coded.codes, at::tensor({-1.f, -1.f, 1.f, 1.f}).view({2, 2})));
}

TEST_P(CodeWeight, ProductsSeeIntegers) {
  const at::Tensor w = normal({20, 50}, 2, 0.02);
  for (const WeightCode code : {WeightCode::ternary, WeightCode::binary}) {
    const at::Tensor codes = code_weight(w, code, at::kFloat).codes;
    EXPECT_TRUE(same(codes, codes.round()));
    EXPECT_EQ(codes.abs().max().item<double>(), 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Paths, CodeWeight, kPaths);

TEST(BitnetLinears, NormalizeBeforeTheyQuantize) {
  Registry model;
  const TernaryLinear ternary(ParameterSink(model, "t"), 24, 10);
  const BinaryLinear binary(ParameterSink(model, "b"), 24, 10);
  const auto& p = model.parameters();
  ASSERT_EQ(p.size(), 4u);
  EXPECT_EQ(p[0].name, "t.norm.gamma");
  EXPECT_EQ(p[1].name, "t.weight");
  const at::Tensor x = normal({2, 5, 24}, 1) + 3;
  EXPECT_TRUE(same(ternary.forward(x), quant_linear(rms_norm(x, p[0].tensor), p[1].tensor, WeightCode::ternary)));
  const at::Tensor centred = x - x.mean(-1, true);
  EXPECT_TRUE(same(binary.forward(x), quant_linear(rms_norm(centred, p[2].tensor), p[3].tensor, WeightCode::binary)));
  const at::Tensor normed = at::layer_norm(x, {24}, p[2].tensor.detach(), {}, kRmsNormEpsilon);
  EXPECT_TRUE(near(rms_norm(centred, p[2].tensor), normed, 1e-5));
  // A shift of all inputs is nothing to the binary linear; a scale of all weights passes through both.
  EXPECT_TRUE(near(binary.forward(x + 10), binary.forward(x), 0.05));
}

TEST(BitnetLinear, WithoutANormQuantizesItsInputAsItIs) {
  Registry model;
  const TernaryLinear bare(ParameterSink(model, "t"), 24, 10, 0.02, std::nullopt);
  const BinaryLinear binary(ParameterSink(model, "b"), 24, 10, 0.02, std::nullopt);
  ASSERT_EQ(model.parameters().size(), 2u);
  const at::Tensor x = normal({4, 24}, 3);
  EXPECT_TRUE(same(bare.forward(x), quant_linear(x, model.parameters()[0].tensor, WeightCode::ternary)));
  EXPECT_TRUE(same(binary.forward(x), quant_linear(x, model.parameters()[1].tensor, WeightCode::binary)));
  const TernaryLinear other(ParameterSink(model, "e"), 24, 10, 0.02, 0.5);
  EXPECT_TRUE(same(other.forward(x), quant_linear(rms_norm(x, model.parameters()[2].tensor, 0.5),
                                                  model.parameters()[3].tensor, WeightCode::ternary)));
}

}  // namespace
}  // namespace bitsweep::nn
