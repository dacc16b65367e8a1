#include <cmath>

#include "kernels/noise.h"
#include "kernels/cpu_kernels.h"
#include "nn/pointer_attention.h"
#include "nn/tensors.h"

namespace bitsweep::nn {
namespace {

// The definition: hard one-hot forward, gradient of the soft weights. `noise` [B, H, T, T].
at::Tensor composed_pointer(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                            CausalBias& bias, const at::Tensor& noise, double tau) {
  const at::Tensor queries = by_head(q, heads);
  const double scale = 1 / std::sqrt(static_cast<double>(queries.size(3)));
  const at::Tensor s = at::matmul(queries, by_head(k, heads).transpose(2, 3)) * scale + bias.get(q.size(1), at::kFloat);
  const at::Tensor z = (s + noise) / tau, soft = z.softmax(-1);
  const at::Tensor hard = at::zeros_like(soft).scatter_(-1, z.detach().argmax(-1, true), 1.0);
  const at::Tensor weights = hard + soft - soft.detach();
  return at::matmul(weights, by_head(v, heads)).transpose(1, 2).reshape(q.sizes());
}

at::Tensor noise_of(uint64_t seed, int64_t batch, int64_t heads, int64_t context) {
  at::Generator source = generator(seed);
  return gumbel_noise(batch * heads * context, context, source).view({batch, heads, context, context});
}

using PointerSetting = std::tuple<Path, int64_t, double>;  // path, context, τ

class PointerCase : public testing::TestWithParam<PointerSetting> {
 protected:
  ForcePath path_{std::get<0>(GetParam())};
  int64_t context_ = std::get<1>(GetParam());
  double tau_ = std::get<2>(GetParam());
};

TEST_P(PointerCase, TrainingEqualsTheComposition) {
  const int64_t batch = 2, heads = 3, size = 8;
  CausalBias bias(heads, true);
  std::vector<at::Tensor> mine, theirs;
  for (uint64_t i = 0; i < 3; ++i) {
    mine.push_back(leaf(signs({batch, context_, heads * size}, i + 1)));
    theirs.push_back(leaf(mine.back()));
  }
  const at::Tensor y = pointer_attention(mine[0], mine[1], mine[2], heads, bias, PointerNoise{generator(7), tau_});
  const at::Tensor expected =
      composed_pointer(theirs[0], theirs[1], theirs[2], heads, bias, noise_of(7, batch, heads, context_), tau_);
  EXPECT_TRUE(near(y, expected, 1e-6));
  const auto got = gradients_of(y, mine), want = gradients_of(expected, theirs);
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(near(got[i], want[i], 1e-5)) << i;
}

TEST_P(PointerCase, EvaluationCopiesTheBestKeysValue) {
  CausalBias bias(2, true);
  const at::Tensor q = normal({3, context_, 16}, 1), k = normal({3, context_, 16}, 2), v = normal({3, context_, 16}, 3);
  const at::Tensor y = pointer_attention(q, k, v, 2, bias, std::nullopt);
  const at::Tensor s =
      at::matmul(by_head(q, 2), by_head(k, 2).transpose(2, 3)) / std::sqrt(8.0) + bias.get(context_, at::kFloat);
  const at::Tensor choice = s.argmax(-1, true).expand({-1, -1, -1, 8});
  EXPECT_TRUE(same(y, by_head(v, 2).gather(2, choice).transpose(1, 2).reshape(q.sizes())));
}

INSTANTIATE_TEST_SUITE_P(All, PointerCase,
                         testing::Combine(kPaths, testing::Values<int64_t>(1, 7, 16, 65, 130),
                                          testing::Values(2.0, 0.1)));

class Pointer : public testing::TestWithParam<Path> {
 protected:
  ForcePath path_{GetParam()};
};

TEST_P(Pointer, TiesGoToTheMostRecentKey) {
  CausalBias bias(1, false);
  const at::Tensor q = at::ones({1, 40, 4});
  const at::Tensor keys = pointer_indices(q, q, 1, bias);
  EXPECT_TRUE(same(keys, at::arange(40).view({1, 1, 40})));
}

TEST_P(Pointer, AnEarlierKeyWinsOnlyWhenItIsBetter) {
  CausalBias bias(1, false);
  const at::Tensor q = at::ones({1, 4, 2}), k = at::tensor({0.f, 0.f, 1.f, 1.f, 1.f, 1.f, 0.f, 0.f}).view({1, 4, 2});
  EXPECT_TRUE(same(pointer_indices(q, k, 1, bias), at::tensor({0, 1, 2, 2}, at::kLong).view({1, 1, 4})));
}

TEST_P(Pointer, AlibiOvercomesABetterButDistantKey) {
  CausalBias bias(1, true);  // slope 1/256
  at::Tensor q = at::ones({1, 200, 1}), k = at::zeros({1, 200, 1});
  k[0][0][0] = 0.5;  // worth 128 places
  const at::Tensor keys = pointer_indices(q, k, 1, bias).flatten();
  EXPECT_EQ(keys[127].item<int64_t>(), 0);
  EXPECT_EQ(keys[128].item<int64_t>(), 128);  // equal: the most recent
  EXPECT_EQ(keys[129].item<int64_t>(), 129);
}

TEST_P(Pointer, SameGeneratorSameOutputAndAnotherDrawAnother) {
  CausalBias bias(4, true);
  const at::Tensor q = signs({2, 32, 32}, 1), k = signs({2, 32, 32}, 2), v = signs({2, 32, 32}, 3);
  const auto run = [&](uint64_t seed) {
    return pointer_attention(q, k, v, 4, bias, PointerNoise{generator(seed), 1.0});
  };
  EXPECT_TRUE(same(run(3), run(3)));
  EXPECT_FALSE(run(3).equal(run(4)));
  PointerNoise shared{generator(3), 1.0};  // two layers draw from one generator, and differ
  const at::Tensor first = pointer_attention(q, k, v, 4, bias, shared);
  EXPECT_FALSE(first.equal(pointer_attention(q, k, v, 4, bias, shared)));
}

TEST_P(Pointer, TrainingIsCausalUnderTheSameNoise) {
  CausalBias bias(2, true);
  const at::Tensor q = signs({2, 40, 16}, 1), k = signs({2, 40, 16}, 2), v = signs({2, 40, 16}, 3);
  const at::Tensor before = pointer_attention(q, k, v, 2, bias, PointerNoise{generator(5), 0.5});
  at::Tensor k2 = k.clone(), v2 = v.clone();
  k2.narrow(1, 21, 19).neg_();
  v2.narrow(1, 21, 19).neg_();
  const at::Tensor after = pointer_attention(q, k2, v2, 2, bias, PointerNoise{generator(5), 0.5});
  EXPECT_TRUE(same(after.narrow(1, 0, 21), before.narrow(1, 0, 21)));
  EXPECT_FALSE(after.equal(before));
}

TEST_P(Pointer, ASequenceDoesNotDependOnItsBatch) {
  CausalBias bias(2, true);
  const at::Tensor q = signs({5, 30, 16}, 1), k = signs({5, 30, 16}, 2);
  const at::Tensor all = pointer_indices(q, k, 2, bias);
  for (int64_t b = 0; b < 5; ++b) {
    EXPECT_TRUE(same(pointer_indices(q.narrow(0, b, 1), k.narrow(0, b, 1), 2, bias), all.narrow(0, b, 1)));
  }
}

TEST_P(Pointer, ChoicesFollowTheSoftmaxOfTheScores) {
  // Gumbel-max: over many draws, key j is chosen with probability softmax(s)_j, whatever τ is.
  CausalBias bias(1, false);
  const int64_t draws = 4000;
  const at::Tensor k = at::tensor({0.0f, 1.0f, 2.0f, -1.0f}).view({1, 4, 1}).expand({draws, 4, 1}).contiguous();
  const at::Tensor q = at::ones({draws, 4, 1}), v = at::arange(4, at::kFloat).view({1, 4, 1}).expand({draws, 4, 1});
  const at::Tensor y = pointer_attention(q, k, v.contiguous(), 1, bias, PointerNoise{generator(11), 0.1});
  const at::Tensor expected = at::tensor({0.0f, 1.0f, 2.0f, -1.0f}).softmax(0);
  for (int64_t j = 0; j < 4; ++j) {
    const double p = expected[j].item<double>();
    const double found = y.select(1, 3).eq(j).to(at::kFloat).mean().item<double>();
    EXPECT_NEAR(found, p, 5 * std::sqrt(p * (1 - p) / static_cast<double>(draws))) << j;
  }
}

INSTANTIATE_TEST_SUITE_P(Paths, Pointer, kPaths);

TEST(PointerPaths, ChooseTheSameKeysBitForBit) {
  CausalBias bias(6, true);
  const at::Tensor q = signs({4, 100, 96}, 1), k = signs({4, 100, 96}, 2);
  at::Tensor reference, fused;
  {
    const ForcePath forced(Path::reference);
    reference = pointer_indices(q, k, 6, bias);
  }
  {
    const ForcePath forced(Path::fused_cpu);
    fused = pointer_indices(q, k, 6, bias);
  }
  EXPECT_TRUE(same(fused, reference));
}

TEST(PointerPaths, WorkUnderAutocast) {
  CausalBias bias(2, true);
  const at::Tensor q = leaf(signs({2, 24, 32}, 1).to(at::kBFloat16)), k = leaf(signs({2, 24, 32}, 2).to(at::kBFloat16)),
                   v = leaf(signs({2, 24, 32}, 3).to(at::kBFloat16));
  at::Tensor y;
  {
    const Autocast autocast;
    y = pointer_attention(q, k, v, 2, bias, PointerNoise{generator(3), 1.0});
  }
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  const at::Tensor exact = pointer_attention(q.detach().to(at::kFloat), k.detach().to(at::kFloat),
                                             v.detach().to(at::kFloat), 2, bias, PointerNoise{generator(3), 1.0});
  EXPECT_TRUE(same(y.to(at::kFloat), exact));  // integer scores are exact in bf16
  for (const at::Tensor& gradient : gradients_of(y, {q, k, v})) {
    EXPECT_EQ(gradient.scalar_type(), at::kBFloat16);
    EXPECT_TRUE(gradient.isfinite().all().item<bool>());
  }
}

TEST(GumbelNoise, HasItsMomentsAndQuantiles) {
  at::Generator source = generator(1);
  const at::Tensor x = gumbel_noise(1000, 500, source).to(at::kDouble).flatten();
  EXPECT_TRUE(x.isfinite().all().item<bool>());
  EXPECT_NEAR(x.mean().item<double>(), 0.5772157, 0.01);
  EXPECT_NEAR(x.var().item<double>(), M_PI * M_PI / 6, 0.03);
  for (const double at : {-1.5, 0.0, 1.0, 3.0, 6.0}) {
    EXPECT_NEAR(x.le(at).to(at::kDouble).mean().item<double>(), std::exp(-std::exp(-at)), 0.003) << at;
  }
}

TEST(GumbelNoise, APlaceDoesNotDependOnTheRowsLength) {
  std::vector<float> shorter(64), longer(256);
  kernels::gumbel_row(42, 7, shorter.data(), 50);
  kernels::gumbel_row(42, 7, longer.data(), 200);
  for (size_t j = 0; j < 50; ++j) EXPECT_EQ(shorter[j], longer[j]);
}

TEST(GumbelNoise, RowsAndKeysAreIndependent) {
  std::vector<float> a(64), b(64), c(64), d(64);
  kernels::gumbel_row(42, 7, a.data(), 64);
  kernels::gumbel_row(42, 8, b.data(), 64);
  kernels::gumbel_row(43, 7, c.data(), 64);
  kernels::gumbel_row(42, 7 + (uint64_t{1} << 32), d.data(), 64);
  for (size_t j = 0; j < 64; ++j) {
    EXPECT_NE(a[j], b[j]);
    EXPECT_NE(a[j], c[j]);
    EXPECT_NE(a[j], d[j]);
  }
}

TEST(LogSchedule, IsGeometricBetweenItsEnds) {
  EXPECT_DOUBLE_EQ(log_schedule(2.0, 0.1, 0.0), 2.0);
  EXPECT_NEAR(log_schedule(2.0, 0.1, 1.0), 0.1, 1e-15);
  EXPECT_NEAR(log_schedule(2.0, 0.1, 0.5), std::sqrt(0.2), 1e-15);
  EXPECT_DOUBLE_EQ(log_schedule(0.7, 0.7, 0.3), 0.7);
}

}  // namespace
}  // namespace bitsweep::nn
