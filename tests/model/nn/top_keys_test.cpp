#include "nn/top_keys.h"

#include <cmath>

#include "nn/tensors.h"

namespace bitsweep::nn {
namespace {

// The definition, in double precision, with the choice made by a stable sort and everything else left to autograd.
// noise [B, H, T, T].
at::Tensor composed_top_keys(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                             CausalBias& bias, const TopKeys& rule, const at::Tensor& noise, double tau) {
  const int64_t context = q.size(1), keys = std::min(rule.keys, context);
  const at::Tensor queries = by_head(q, heads), values = by_head(v, heads);
  const double scale = 1 / std::sqrt(static_cast<double>(queries.size(3)));
  const at::Tensor mask = bias.get(context, at::kFloat).to(at::kDouble);
  const at::Tensor z = (at::matmul(queries, by_head(k, heads).transpose(2, 3)) * scale + mask + noise) / tau;
  const at::Tensor flipped = z.detach().flip({-1});
  const at::Tensor order = std::get<1>(at::sort(flipped, /*stable=*/true, -1, /*descending=*/true));
  const at::Tensor index = (context - 1 - order).narrow(-1, 0, keys);  // [B, H, T, K]
  const at::Tensor best = z.gather(-1, index), p = best.softmax(-1);
  const at::Tensor alive = best.detach().isfinite().to(at::kDouble), count = alive.sum(-1, true);
  const at::Tensor rank = at::arange(keys, at::kDouble);
  const at::Tensor share = rule.vote ? alive / count : alive * at::pow(at::full({}, rule.rho, at::kDouble), rank);
  const at::Tensor weights = share / share.sum(-1, true);
  const auto dense = [&](const at::Tensor& x) { return at::zeros_like(z).scatter(-1, index, x); };
  // Forward by the weights, backward to q and k by the softmax, to v by the weights.
  const at::Tensor soft = dense(p) - dense(p).detach();
  at::Tensor y = at::matmul(dense(weights), values) + at::matmul(soft, values.detach());
  if (rule.vote) {
    const at::Tensor votes = at::matmul(dense(alive), values.detach());
    y = at::where(votes.ge(0), 1.0, -1.0) + y - y.detach();
  }
  return y.transpose(1, 2).reshape(q.sizes());
}

struct HeadSizes {
  int64_t context, keys;
};
using HeadCase = std::tuple<Path, HeadSizes, double>;  // path, sizes, ρ (−1: vote)

class TopKeysCase : public testing::TestWithParam<HeadCase> {
 protected:
  ForcePath path_{std::get<0>(GetParam())};
  HeadSizes sizes_ = std::get<1>(GetParam());
  TopKeys rule_{
      .keys = sizes_.keys, .vote = std::get<2>(GetParam()) < 0, .rho = std::max(0.0, std::get<2>(GetParam()))};
};

TEST_P(TopKeysCase, TrainingEqualsTheComposition) {
  const int64_t batch = 2, heads = 3, size = 8;
  const double tau = 0.7;
  CausalBias bias(heads, true);
  std::vector<at::Tensor> mine, theirs;
  for (uint64_t i = 0; i < 3; ++i) {
    mine.push_back(leaf(signs({batch, sizes_.context, heads * size}, i + 1)));
    theirs.push_back(leaf(mine.back().to(at::kDouble)));
  }
  at::Generator source = generator(7);
  const at::Tensor noise = gumbel_noise(batch * heads * sizes_.context, sizes_.context, source)
                               .view({batch, heads, sizes_.context, sizes_.context});
  const at::Tensor y =
      top_keys_attention(mine[0], mine[1], mine[2], heads, bias, rule_, PointerNoise{generator(7), tau});
  const at::Tensor expected = composed_top_keys(theirs[0], theirs[1], theirs[2], heads, bias, rule_, noise, tau);
  EXPECT_TRUE(near(y, expected, 1e-6));
  const auto got = gradients_of(y, mine), want = gradients_of(expected, theirs);
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(near(got[i], want[i], 1e-5)) << i;
}

TEST_P(TopKeysCase, EvaluationEqualsTheCompositionWithoutNoise) {
  CausalBias bias(2, true);
  const at::Tensor q = normal({2, sizes_.context, 32}, 1), k = normal({2, sizes_.context, 32}, 2),
                   v = signs({2, sizes_.context, 32}, 3);
  const at::Tensor y = top_keys_attention(q, k, v, 2, bias, rule_, std::nullopt);
  const at::Tensor expected = composed_top_keys(q.to(at::kDouble), k.to(at::kDouble), v.to(at::kDouble), 2, bias, rule_,
                                                at::zeros({}, at::kDouble), 1.0);
  EXPECT_TRUE(near(y, expected, 1e-6));
}

INSTANTIATE_TEST_SUITE_P(All, TopKeysCase,
                         testing::Combine(kPaths,
                                          testing::Values(HeadSizes{1, 4}, HeadSizes{3, 4}, HeadSizes{16, 2},
                                                          HeadSizes{65, 4}, HeadSizes{130, 9}),
                                          testing::Values(-1.0, 0.0, 0.3, 1.0)));

class TopKeysPath : public testing::TestWithParam<Path> {
 protected:
  ForcePath path_{GetParam()};
};

TEST_P(TopKeysPath, AtRhoZeroItIsThePointerBitForBit) {
  CausalBias bias(4, true);
  const at::Tensor q = signs({3, 70, 64}, 1), k = signs({3, 70, 64}, 2), v = signs({3, 70, 64}, 3);
  const TopKeys rule{.keys = 4, .vote = false, .rho = 0};
  for (const bool trains : {false, true}) {
    const auto noise = [&] { return trains ? std::optional(PointerNoise{generator(5), 0.3}) : std::nullopt; };
    EXPECT_TRUE(
        same(top_keys_attention(q, k, v, 4, bias, rule, noise()), pointer_attention(q, k, v, 4, bias, noise())));
  }
}

TEST_P(TopKeysPath, WithAllKeysKeptAndRhoZeroGradientsAreThePointers) {
  CausalBias bias(2, true);
  std::vector<at::Tensor> mine, theirs;
  for (uint64_t i = 0; i < 3; ++i) {
    mine.push_back(leaf(signs({2, 20, 16}, i + 1)));
    theirs.push_back(leaf(mine.back()));
  }
  const TopKeys rule{.keys = 20, .vote = false, .rho = 0};
  const at::Tensor y = top_keys_attention(mine[0], mine[1], mine[2], 2, bias, rule, PointerNoise{generator(5), 0.8});
  const at::Tensor hard = pointer_attention(theirs[0], theirs[1], theirs[2], 2, bias, PointerNoise{generator(5), 0.8});
  const auto got = gradients_of(y, mine), want = gradients_of(hard, theirs);
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(near(got[i], want[i], 1e-5)) << i;
}

TEST_P(TopKeysPath, EqualWeightsAverageTheMostRecentOfEqualKeys) {
  CausalBias bias(1, false);
  const at::Tensor q = at::ones({1, 40, 1}), v = at::arange(40, at::kFloat).view({1, 40, 1});
  const at::Tensor y = top_keys_attention(q, q, v, 1, bias, {.keys = 4, .vote = false, .rho = 1}, std::nullopt);
  EXPECT_NEAR(y[0][0][0].item<double>(), 0, 1e-6);
  EXPECT_NEAR(y[0][1][0].item<double>(), 0.5, 1e-6);  // two keys so far
  EXPECT_NEAR(y[0][39][0].item<double>(), 37.5, 1e-5);
}

TEST_P(TopKeysPath, RanksAreByScore) {
  CausalBias bias(1, false);
  const at::Tensor q = at::ones({1, 5, 1}), k = at::tensor({3.f, 9.f, 1.f, 7.f, 5.f}).view({1, 5, 1});
  const at::Tensor v = at::tensor({1.f, 10.f, 100.f, 1000.f, 10000.f}).view({1, 5, 1});
  const at::Tensor y = top_keys_attention(q, k, v, 1, bias, {.keys = 3, .vote = false, .rho = 0.5}, std::nullopt);
  EXPECT_NEAR(y[0][4][0].item<double>(), (4 * 10 + 2 * 1000 + 1 * 10000) / 7.0, 1e-3);
}

TEST_P(TopKeysPath, VotesAreSignsAndTiesGoToPlusOne) {
  CausalBias bias(1, false);
  const at::Tensor q = at::ones({1, 6, 1}), v = at::tensor({-1.f, 1.f, -1.f, -1.f, 1.f, 1.f}).view({1, 6, 1});
  for (const int64_t keys : {2, 6}) {
    const at::Tensor y = top_keys_attention(q, q, v, 1, bias, {.keys = keys, .vote = true}, std::nullopt).flatten();
    const at::Tensor sums = keys == 6 ? v.flatten().cumsum(0) : at::tensor({-1.f, 0.f, 0.f, -2.f, 0.f, 2.f});
    EXPECT_TRUE(same(y, at::where(sums.ge(0), 1.0f, -1.0f))) << keys;
  }
}

TEST_P(TopKeysPath, TrainingIsCausalUnderTheSameNoise) {
  CausalBias bias(2, true);
  const at::Tensor q = signs({2, 40, 16}, 1), k = signs({2, 40, 16}, 2), v = signs({2, 40, 16}, 3);
  const TopKeys rule{.keys = 4, .vote = false, .rho = 0.7};
  const at::Tensor before = top_keys_attention(q, k, v, 2, bias, rule, PointerNoise{generator(5), 0.5});
  at::Tensor k2 = k.clone(), v2 = v.clone();
  k2.narrow(1, 21, 19).neg_();
  v2.narrow(1, 21, 19).neg_();
  const at::Tensor after = top_keys_attention(q, k2, v2, 2, bias, rule, PointerNoise{generator(5), 0.5});
  EXPECT_TRUE(same(after.narrow(1, 0, 21), before.narrow(1, 0, 21)));
  EXPECT_FALSE(after.equal(before));
}

TEST_P(TopKeysPath, EveryKeptKeyGetsAGradientAndNoOther) {
  CausalBias bias(1, false);
  const at::Tensor q = leaf(at::ones({1, 8, 1})), v = leaf(normal({1, 8, 1}, 3));
  const at::Tensor k = leaf(at::arange(8, at::kFloat).view({1, 8, 1}));
  const at::Tensor y = top_keys_attention(q, k, v, 1, bias, {.keys = 3, .vote = false, .rho = 0.2}, std::nullopt);
  y.select(1, 7).sum().backward();
  EXPECT_EQ(k.grad().ne(0).sum().item<int64_t>(), 3);
  EXPECT_EQ(v.grad().ne(0).sum().item<int64_t>(), 3);
  EXPECT_EQ(v.grad().flatten().narrow(0, 0, 5).abs().sum().item<double>(), 0);
}

INSTANTIATE_TEST_SUITE_P(Paths, TopKeysPath, kPaths);

TEST(TopKeysPaths, ChooseTheSameKeysBitForBit) {
  CausalBias bias(6, true);
  const at::Tensor q = signs({4, 100, 96}, 1), k = signs({4, 100, 96}, 2), v = signs({4, 100, 96}, 3);
  const auto votes = [&](Path path) {
    const ForcePath forced(path);
    return top_keys_attention(q, k, v, 6, bias, {.keys = 4, .vote = true}, PointerNoise{generator(9), 1.0});
  };
  EXPECT_TRUE(same(votes(Path::fused_cpu), votes(Path::reference)));
}

TEST(TopKeysPaths, WorkUnderAutocast) {
  CausalBias bias(2, true);
  std::vector<at::Tensor> inputs;
  for (uint64_t i = 0; i < 3; ++i) inputs.push_back(leaf(signs({2, 24, 32}, i + 1).to(at::kBFloat16)));
  at::Tensor y;
  {
    const Autocast autocast;
    y = top_keys_attention(inputs[0], inputs[1], inputs[2], 2, bias, {.keys = 4, .vote = true},
                           PointerNoise{generator(3), 1.0});
  }
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(same(y.abs().to(at::kFloat), at::ones({2, 24, 32})));
  for (const at::Tensor& gradient : gradients_of(y, inputs)) {
    EXPECT_EQ(gradient.scalar_type(), at::kBFloat16);
    EXPECT_TRUE(gradient.isfinite().all().item<bool>());
  }
}

}  // namespace
}  // namespace bitsweep::nn
