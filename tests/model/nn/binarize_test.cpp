#include "nn/binarize.h"

#include "nn/alpha_linear.h"
#include "nn/schedule.h"
#include "nn/strict_linear.h"
#include "nn/tensors.h"

namespace bitsweep::nn {
namespace {

TEST(BinarizedPart, RisesToOneAndStaysThere) {
  EXPECT_DOUBLE_EQ(binarized_part(0.6, 0.0), 0.0);
  EXPECT_DOUBLE_EQ(binarized_part(0.6, 0.3), 0.5);
  EXPECT_DOUBLE_EQ(binarized_part(0.6, 0.6), 1.0);
  EXPECT_DOUBLE_EQ(binarized_part(0.6, 1.0), 1.0);
}

// W_mix of the definition; `alpha` undefined: the mean of the channel.
at::Tensor composed(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& alpha, const at::Tensor& threshold,
                    OutputSign output, double m) {
  const at::Tensor scale = alpha.defined() ? alpha : weight.abs().mean(1);
  const at::Tensor mixed = (1 - m) * weight + m * scale.unsqueeze(1) * composed_sign(weight, false);
  const at::Tensor y = at::linear(x, mixed) - threshold;
  return output == OutputSign::none ? y : composed_sign(y, output == OutputSign::clipped);
}

using BinarizedCase = std::tuple<Path, OutputSign, double, bool>;  // m, learned α

class MixedLinear : public testing::TestWithParam<BinarizedCase> {};

TEST_P(MixedLinear, EqualsTheComposition) {
  const auto& [path, output, m, learned] = GetParam();
  const ForcePath forced(path);
  std::vector<at::Tensor> mine{leaf(normal({3, 11, 48}, 1)), leaf(normal({20, 48}, 2, 0.3)),
                               leaf(normal({20}, 3, 0.3))};
  if (learned) mine.push_back(leaf(normal({20}, 4)));
  std::vector<at::Tensor> theirs;
  for (const at::Tensor& tensor : mine) theirs.push_back(leaf(tensor.to(at::kDouble)));
  const at::Tensor y = sign_linear_alpha(mine[0], mine[1], mine[2], output, learned ? mine[3] : at::Tensor(), m);
  const at::Tensor expected = composed(theirs[0], theirs[1], learned ? theirs[3] : at::Tensor(), theirs[2], output, m);
  EXPECT_TRUE(near(y, expected, 1e-5));
  const auto got = gradients_of(y, mine), want = gradients_of(expected, theirs);
  for (size_t i = 0; i < mine.size(); ++i) EXPECT_TRUE(near(got[i], want[i], 1e-5)) << i;
}

INSTANTIATE_TEST_SUITE_P(All, MixedLinear,
                         testing::Combine(kPaths, testing::Values(OutputSign::none, OutputSign::clipped),
                                          testing::Values(0.0, 0.4, 1.0), testing::Bool()));

TEST(AlphaLinear, ALearnedScaleStartsAtTheMeanAndMoves) {
  Registry model;
  const AlphaLinear linear(ParameterSink(model, "q"), 32, 12, OutputSign::none, Alpha::learned);
  const auto& p = model.parameters();
  ASSERT_EQ(p.size(), 3u);
  EXPECT_EQ(p[2].name, "q.alpha");
  EXPECT_FALSE(p[2].decay);
  EXPECT_TRUE(p[2].tensor.is_leaf() && p[2].tensor.requires_grad());
  EXPECT_TRUE(same(p[2].tensor, p[0].tensor.abs().mean(1)));
  const at::Tensor x = normal({4, 32}, 1);
  EXPECT_TRUE(same(linear.forward(x), sign_linear_alpha(x, p[0].tensor, p[1].tensor, OutputSign::none)));
  linear.forward(x).square().sum().backward();
  EXPECT_GT(p[2].tensor.grad().abs().sum().item<double>(), 0);
}

TEST(AlphaLinear, WithoutSignsItIsTheLatentLinear) {
  Registry model;
  const AlphaLinear linear(ParameterSink(model), 32, 12, OutputSign::none);
  const at::Tensor x = normal({4, 32}, 1);
  EXPECT_TRUE(near(linear.forward(x, 0.0), at::linear(x, model.parameters()[0].tensor), 1e-6));
  EXPECT_TRUE(same(linear.forward(x, 1.0), linear.forward(x)));
}

TEST(ForwardAt, ALinearWithoutLatentMixIsTakenAsItIs) {
  Registry model;
  const StrictLinear linear(ParameterSink(model), 32, 12);
  const at::Tensor x = signs({4, 32}, 1);
  EXPECT_TRUE(same(forward_at(linear, x, 0.3), linear.forward(x)));
}

TEST(Anneal, GoldenValues) {
  EXPECT_DOUBLE_EQ(anneal(Anneal::linear, 1, 0, 0.25), 0.75);
  EXPECT_NEAR(anneal(Anneal::cosine, 1, 0, 0.5), 0.5, 1e-12);
  EXPECT_NEAR(anneal(Anneal::cosine, 1, 0, 1.0 / 3), 0.75, 1e-12);
  EXPECT_NEAR(anneal(Anneal::geometric, 1, 0.01, 0.5), 0.1, 1e-12);
  for (const Anneal kind : {Anneal::linear, Anneal::cosine, Anneal::geometric}) {
    EXPECT_DOUBLE_EQ(anneal(kind, 1, 0.1, 0), 1);
    EXPECT_NEAR(anneal(kind, 1, 0.1, 1), 0.1, 1e-15);
  }
}

}  // namespace
}  // namespace bitsweep::nn
