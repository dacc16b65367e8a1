#include "nn/sign.h"

#include "nn/tensors.h"

namespace bitsweep::nn {
namespace {

class SignPath : public testing::TestWithParam<Path> {
 protected:
  ForcePath path_{GetParam()};
};

TEST_P(SignPath, BothZerosAreOne) {
  const at::Tensor x = at::tensor({0.0f, -0.0f, 1e-45f, -1e-45f, 3.0f, -3.0f});
  EXPECT_TRUE(same(sign_of(x, at::kFloat), at::tensor({1.0f, 1.0f, 1.0f, -1.0f, 1.0f, -1.0f})));
}

TEST_P(SignPath, InfinitiesHaveTheirSignAndNanIsMinusOne) {
  const float inf = std::numeric_limits<float>::infinity();
  const at::Tensor x = at::tensor({inf, -inf, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_TRUE(same(sign_of(x, at::kFloat), at::tensor({1.0f, -1.0f, -1.0f})));
}

TEST_P(SignPath, IdentityPassesEveryGradient) {
  const at::Tensor x = leaf(normal({37, 53}, 1, 3.0));
  const at::Tensor y = sign_ste(x);
  EXPECT_TRUE(same(y, at::where(x.ge(0), 1.0f, -1.0f)));
  EXPECT_TRUE(same(gradients_of(y, {x})[0], normal({37, 53}, 99)));
}

TEST_P(SignPath, ClippedPassesGradientsUpToOneInclusive) {
  const at::Tensor x = leaf(at::tensor({-1.0001f, -1.0f, -0.5f, 0.0f, 0.5f, 1.0f, 1.0001f}));
  const at::Tensor y = sign_ste_clipped(x);
  y.sum().backward();
  EXPECT_TRUE(same(y, at::tensor({-1.0f, -1.0f, -1.0f, 1.0f, 1.0f, 1.0f, 1.0f})));
  EXPECT_TRUE(same(x.grad(), at::tensor({0.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 0.0f})));
}

TEST_P(SignPath, ClippedEqualsTheComposition) {
  const at::Tensor x = leaf(normal({129, 65}, 2)), reference = leaf(x);
  EXPECT_TRUE(same(gradients_of(sign_ste_clipped(x), {x})[0],
                   gradients_of(composed_sign(reference, true), {reference})[0]));
}

TEST_P(SignPath, ReadsStridedInput) {
  const at::Tensor x = normal({33, 70}, 3).t();
  EXPECT_TRUE(same(sign_of(x, at::kFloat), at::where(x.ge(0), 1.0f, -1.0f)));
  const at::Tensor strided = leaf(x.contiguous());
  EXPECT_TRUE(same(sign_ste_clipped(strided.t()), at::where(x.t().ge(0), 1.0f, -1.0f)));
}

TEST_P(SignPath, EmptyStaysEmpty) {
  EXPECT_EQ(sign_ste_clipped(leaf(at::empty({0, 4}))).numel(), 0);
  EXPECT_EQ(residual_sign(at::empty({0}), at::empty({0}), at::empty({0})).numel(), 0);
}

TEST_P(SignPath, ResidualIsAMajorityVoteWithTiesToOne) {
  // All eight votes of three signs, and a sum of exactly 0.
  const at::Tensor x = leaf(at::tensor({1.f, 1.f, 1.f, 1.f, -1.f, -1.f, -1.f, -1.f, 1.f}));
  const at::Tensor a = leaf(at::tensor({1.f, 1.f, -1.f, -1.f, 1.f, 1.f, -1.f, -1.f, -0.5f}));
  const at::Tensor b = leaf(at::tensor({1.f, -1.f, 1.f, -1.f, 1.f, -1.f, 1.f, -1.f, -0.5f}));
  const at::Tensor y = residual_sign(x, a, b);
  EXPECT_TRUE(same(y, at::tensor({1.f, 1.f, 1.f, -1.f, 1.f, -1.f, -1.f, -1.f, 1.f})));
  for (const at::Tensor& gradient : gradients_of(y, {x, a, b})) EXPECT_TRUE(same(gradient, normal({9}, 99)));
}

TEST_P(SignPath, Bf16KeepsItsType) {
  const at::Tensor x = leaf(normal({64}, 4).to(at::kBFloat16));
  const at::Tensor y = sign_ste_clipped(x);
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  y.sum().backward();
  EXPECT_TRUE(same(x.grad().to(at::kFloat), x.abs().le(1).to(at::kFloat)));
}

TEST_P(SignPath, RowsTakeTheirMagnitude) {
  const at::Tensor x = normal({5, 19}, 5), magnitude = normal({5}, 6).abs();
  EXPECT_TRUE(same(sign_of_rows(x, magnitude, at::kFloat),
                   at::where(x.ge(0), magnitude.unsqueeze(1), -magnitude.unsqueeze(1))));
}

INSTANTIATE_TEST_SUITE_P(Paths, SignPath, kPaths);

}  // namespace
}  // namespace bitsweep::nn
