#include "nn/gated_ffn.h"
#include "nn/rms_norm.h"
#include "nn/sign.h"
#include "nn/sign_embedding.h"
#include "nn/tensors.h"

namespace bitsweep::nn {
namespace {

at::Tensor composed_norm(const at::Tensor& x, const at::Tensor& gamma) {
  return x / (x.square().mean(-1, true) + kRmsNormEpsilon).sqrt() * gamma;
}

class BlockPath : public testing::TestWithParam<Path> {
 protected:
  ForcePath path_{GetParam()};
};

TEST_P(BlockPath, RmsNormEqualsTheComposition) {
  for (const int64_t d : {1, 7, 16, 160, 515}) {
    const at::Tensor x = leaf(normal({3, 5, d}, 1, 2.0)), gamma = leaf(normal({d}, 2));
    const at::Tensor x2 = leaf(x), gamma2 = leaf(gamma);
    const at::Tensor y = rms_norm(x, gamma), expected = composed_norm(x2, gamma2);
    EXPECT_TRUE(near(y, expected, 1e-6)) << d;
    const auto got = gradients_of(y, {x, gamma}), want = gradients_of(expected, {x2, gamma2});
    EXPECT_TRUE(near(got[0], want[0], 2e-6)) << d;
    EXPECT_TRUE(near(got[1], want[1], 2e-6)) << d;
  }
}

TEST_P(BlockPath, RmsNormOfZerosIsZeroWithFiniteGradients) {
  const at::Tensor x = leaf(at::zeros({2, 32})), gamma = leaf(at::ones({32}));
  const at::Tensor y = rms_norm(x, gamma);
  EXPECT_TRUE(same(y, at::zeros({2, 32})));
  for (const at::Tensor& gradient : gradients_of(y, {x, gamma})) EXPECT_TRUE(gradient.isfinite().all().item<bool>());
}

TEST_P(BlockPath, RmsNormGradientIsTheFiniteDifference) {
  const at::Tensor x = leaf(normal({1, 12}, 1)), gamma = normal({12}, 2);
  const at::Tensor gradient = gradients_of(rms_norm(x, gamma), {x})[0], base = x.detach();
  const auto f = [&](const at::Tensor& at_x) {
    return (rms_norm(at_x, gamma).to(at::kDouble) * normal({1, 12}, 99)).sum().item<double>();
  };
  for (int64_t i = 0; i < 12; ++i) {
    at::Tensor step = at::zeros({1, 12});
    step[0][i] = 1e-2;
    EXPECT_NEAR(gradient[0][i].item<double>(), (f(base + step) - f(base - step)) / 2e-2, 1e-3);
  }
}

TEST_P(BlockPath, RmsNormPassesNan) {
  at::Tensor x = at::ones({1, 20});
  x[0][3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(rms_norm(x, at::ones({20})).isnan().all().item<bool>());
}

TEST_P(BlockPath, SwigluEqualsTheComposition) {
  const at::Tensor gate = leaf(normal({6, 53}, 1, 4.0)), up = leaf(normal({6, 53}, 2));
  const at::Tensor gate2 = leaf(gate), up2 = leaf(up);
  const at::Tensor y = swiglu(gate, up), expected = at::silu(gate2) * up2;
  EXPECT_TRUE(near(y, expected, 1e-6));
  const auto got = gradients_of(y, {gate, up}), want = gradients_of(expected, {gate2, up2});
  EXPECT_TRUE(near(got[0], want[0], 1e-6));
  EXPECT_TRUE(near(got[1], want[1], 1e-6));
}

TEST_P(BlockPath, SwigluIsFiniteAtExtremes) {
  const at::Tensor gate = leaf(at::tensor({-1e30f, -100.0f, 0.0f, 100.0f, 1e30f})), up = leaf(at::ones({5}));
  const at::Tensor y = swiglu(gate, up);
  EXPECT_TRUE(near(y, at::tensor({0.0f, 0.0f, 0.0f, 100.0f, 1e30f}), 1e-6));
  y.sum().backward();
  EXPECT_TRUE(near(gate.grad(), at::tensor({0.0f, 0.0f, 0.5f, 1.0f, 1.0f}), 1e-6));
}

TEST_P(BlockPath, SwigluPassesNan) {
  const at::Tensor nan = at::full({1}, std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(swiglu(nan, at::ones({1})).isnan().all().item<bool>());
}

TEST_P(BlockPath, StrictFfnIsAnXnorOfItsGates) {
  Registry model;
  const XnorFfn<StrictLinear> ffn(ParameterSink(model), 24, 16, OutputSign::clipped, OutputSign::clipped);
  const auto& p = model.parameters();  // gate, up, down: weight then threshold
  const at::Tensor x = signs({5, 24}, 1);
  const auto layer = [&](const at::Tensor& in, size_t i, double d) {
    return sign_linear(in, p[i].tensor, p[i + 1].tensor, 1 / std::sqrt(d), OutputSign::clipped);
  };
  const at::Tensor gate = layer(x, 0, 24), up = layer(x, 2, 24), inner = at::where(gate.eq(up), 1.0f, -1.0f);
  EXPECT_TRUE(same(ffn.forward(x), layer(inner, 4, 16)));
}

INSTANTIATE_TEST_SUITE_P(Paths, BlockPath, kPaths);

TEST(RmsNorm, TakesItsEpsilon) {
  const at::Tensor x = normal({3, 12}, 1), gamma = normal({12}, 2), tiny = x * 1e-4;
  for (const double epsilon : {1e-8, 1e-5, 1e-2}) {
    const at::Tensor expected = tiny / (tiny.square().mean(-1, true) + epsilon).sqrt() * gamma;
    EXPECT_TRUE(near(rms_norm(tiny, gamma, epsilon), expected, 1e-5)) << epsilon;
  }
}

TEST(Relu2glu, EqualsTheComposition) {
  const at::Tensor gate = leaf(normal({5, 9}, 1)), up = leaf(normal({5, 9}, 2)), gate2 = leaf(gate), up2 = leaf(up);
  const at::Tensor y = relu2glu(gate, up), expected = at::relu(gate2).square() * up2;
  EXPECT_TRUE(same(y, expected));
  const auto got = gradients_of(y, {gate, up}), want = gradients_of(expected, {gate2, up2});
  for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(near(got[i], want[i], 1e-6)) << i;
}

TEST(SwigluFfn, EqualsThreeProducts) {
  Registry model;
  const SwigluFfn<Linear> ffn(ParameterSink(model), 12, 20, 0.02);
  const auto& p = model.parameters();
  const at::Tensor x = normal({2, 3, 12}, 1);
  const at::Tensor inner = at::silu(at::linear(x, p[0].tensor)) * at::linear(x, p[1].tensor);
  EXPECT_TRUE(near(ffn.forward(x), at::linear(inner, p[2].tensor), 1e-6));
}

TEST(SignEmbedding, GivesTheSignsOfItsRows) {
  Registry model;
  const SignEmbedding embedding(ParameterSink(model), 10, 6);
  const at::Tensor table = model.parameters()[0].tensor, tokens = at::tensor({3, 9, 0, 3}, at::kLong).view({2, 2});
  const at::Tensor x = embedding.forward(tokens);
  EXPECT_TRUE(same(x.abs(), at::ones({2, 2, 6})));
  EXPECT_TRUE(same(x[0][0], sign_of(table[3], at::kFloat)));
  x.sum().backward();
  // Identity through the sign: a row's gradient counts its uses.
  EXPECT_TRUE(same(table.grad().select(1, 0), at::tensor({1.f, 0.f, 0.f, 2.f, 0.f, 0.f, 0.f, 0.f, 0.f, 1.f})));
}

TEST(SignHead, StartsAtTheCodebookOverRootD) {
  Registry model;
  const SignHead head(ParameterSink(model), 11, 64);
  const auto& p = model.parameters();
  EXPECT_FLOAT_EQ(p[2].tensor.item<float>(), 0.125f);
  EXPECT_TRUE(same(p[1].tensor, at::zeros({11})));
  const at::Tensor x = signs({3, 64}, 1);
  EXPECT_TRUE(same(head.forward(x), at::linear(x, sign_of(p[0].tensor, at::kFloat)) * 0.125f));
  const auto gradients = gradients_of(head.forward(x), {p[0].tensor, p[1].tensor, p[2].tensor});
  EXPECT_TRUE(near(gradients[1], normal({3, 11}, 99).sum(0), 1e-6));
  const at::Tensor sums = at::linear(x, sign_of(p[0].tensor, at::kFloat));
  EXPECT_TRUE(near(gradients[2], (sums * normal({3, 11}, 99)).sum().view({1}), 1e-5));
}

}  // namespace
}  // namespace bitsweep::nn
