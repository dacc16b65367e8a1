#include <cmath>

#include "nn/softmax_attention.h"
#include "nn/tensors.h"

namespace bitsweep::nn {
namespace {

TEST(AlibiSlopes, PowersOfTwoAreThePapersGeometricSequence) {
  const std::vector<double> eight = alibi_slopes(8);
  for (int h = 0; h < 8; ++h) EXPECT_DOUBLE_EQ(eight[static_cast<size_t>(h)], std::pow(0.5, h + 1));
  const std::vector<double> sixteen = alibi_slopes(16);
  EXPECT_DOUBLE_EQ(sixteen[0], std::sqrt(0.5));
  EXPECT_DOUBLE_EQ(sixteen[1], 0.5);
  EXPECT_DOUBLE_EQ(sixteen[15], 1.0 / 256);
}

TEST(AlibiSlopes, OthersTakeEverySecondSlopeOfTheNextPower) {
  // The paper's code for 12 heads: those of 8, then slopes 0, 2, 4, 6 of 16.
  const std::vector<double> twelve = alibi_slopes(12);
  ASSERT_EQ(twelve.size(), 12u);
  EXPECT_DOUBLE_EQ(twelve[7], 1.0 / 256);
  for (int i = 0; i < 4; ++i) EXPECT_DOUBLE_EQ(twelve[static_cast<size_t>(8 + i)], std::exp2(-0.5 - i));
  EXPECT_DOUBLE_EQ(alibi_slopes(3)[2], std::exp2(-2));  // of 4 heads: the first
  EXPECT_DOUBLE_EQ(alibi_slopes(1)[0], std::exp2(-8));
}

TEST(CausalBias, HoldsSlopesBelowAndInfinityAboveTheDiagonal) {
  CausalBias bias(8, true);
  const at::Tensor b = bias.get(5, at::kFloat);
  ASSERT_EQ(b.sizes(), (at::IntArrayRef{8, 5, 5}));
  for (int64_t h = 0; h < 8; ++h) {
    for (int64_t t = 0; t < 5; ++t) {
      for (int64_t j = 0; j < 5; ++j) {
        const double value = b[h][t][j].item<double>();
        if (j > t) EXPECT_EQ(value, -INFINITY);
        else EXPECT_DOUBLE_EQ(value, -std::pow(0.5, h + 1) * static_cast<double>(t - j));
      }
    }
  }
}

TEST(CausalBias, IsMadeOncePerContextAndType) {
  CausalBias bias(4, false);
  const void* first = bias.get(6, at::kFloat).data_ptr();
  EXPECT_EQ(bias.get(6, at::kFloat).data_ptr(), first);
  EXPECT_EQ(bias.get(7, at::kFloat).size(1), 7);
  EXPECT_EQ(bias.get(7, at::kBFloat16).scalar_type(), at::kBFloat16);
  EXPECT_EQ(bias.get(7, at::kFloat).size(0), 1);
}

TEST(CausalBias, OfTheLastQueriesIsItsLastRows) {
  for (const bool alibi : {true, false}) {
    CausalBias bias(6, alibi);
    const at::Tensor whole = bias.get(9, at::kFloat).clone();
    for (const int64_t queries : {1, 4, 9})
      EXPECT_TRUE(bias.rows(queries, 9, at::kFloat).equal(whole.narrow(1, 9 - queries, queries))) << queries;
    EXPECT_EQ(bias.rows(4, 9, at::kFloat).data_ptr(), bias.rows(4, 9, at::kFloat).data_ptr());
    EXPECT_TRUE(bias.get(9, at::kFloat).equal(whole));
  }
}

// By the definition, with LibTorch's plain operations.
at::Tensor composed_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads,
                              CausalBias& bias) {
  const int64_t batch = q.size(0), context = q.size(1), size = q.size(2) / heads;
  const auto split = [&](const at::Tensor& x) { return x.reshape({batch, context, heads, size}).transpose(1, 2); };
  const at::Tensor scores = at::matmul(split(q), split(k).transpose(2, 3)) / std::sqrt(static_cast<double>(size));
  const at::Tensor p = (scores + bias.get(context, at::kFloat)).softmax(-1);
  return at::matmul(p, split(v)).transpose(1, 2).reshape(q.sizes());
}

struct Sizes {
  int64_t batch, context, heads, head_size;
  bool alibi;
};

class SoftmaxAttention : public testing::TestWithParam<std::tuple<Path, Sizes>> {};

TEST_P(SoftmaxAttention, EqualsTheComposition) {
  const auto& [path, s] = GetParam();
  const ForcePath forced(path);
  CausalBias bias(s.heads, s.alibi);
  std::vector<at::Tensor> mine, theirs;
  for (uint64_t i = 0; i < 3; ++i) {
    mine.push_back(leaf(normal({s.batch, s.context, s.heads * s.head_size}, i + 1)));
    theirs.push_back(leaf(mine.back()));
  }
  const at::Tensor y = softmax_attention(mine[0], mine[1], mine[2], s.heads, bias);
  const at::Tensor expected = composed_attention(theirs[0], theirs[1], theirs[2], s.heads, bias);
  EXPECT_TRUE(near(y, expected, 2e-6));
  const auto got = gradients_of(y, mine), want = gradients_of(expected, theirs);
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(near(got[i], want[i], 5e-6)) << i;
}

INSTANTIATE_TEST_SUITE_P(All, SoftmaxAttention,
                         testing::Combine(kPaths, testing::Values(Sizes{2, 33, 3, 8, true}, Sizes{1, 64, 2, 16, false},
                                                                  Sizes{3, 1, 1, 4, true}, Sizes{1, 130, 4, 4, true})));

class SoftmaxCausality : public testing::TestWithParam<Path> {};

TEST_P(SoftmaxCausality, LaterTokensChangeNoEarlierOutput) {
  const ForcePath forced(GetParam());
  CausalBias bias(2, true);
  // Trained, so that each path takes its own way.
  const at::Tensor q = leaf(normal({2, 24, 16}, 1)), k = normal({2, 24, 16}, 2), v = normal({2, 24, 16}, 3);
  const at::Tensor before = softmax_attention(q, k, v, 2, bias);
  const at::Tensor k2 = k.clone(), v2 = v.clone();
  k2.narrow(1, 15, 9).copy_(normal({2, 9, 16}, 4));
  v2.narrow(1, 15, 9).copy_(normal({2, 9, 16}, 5));
  const at::Tensor after = softmax_attention(q, k2, v2, 2, bias);
  EXPECT_TRUE(same(after.narrow(1, 0, 15), before.narrow(1, 0, 15)));
  EXPECT_FALSE(after.equal(before));
}

TEST_P(SoftmaxCausality, EvaluationGivesTheTrainedValues) {
  const ForcePath forced(GetParam());
  CausalBias bias(2, true);
  const at::Tensor q = leaf(normal({2, 24, 16}, 1)), k = normal({2, 24, 16}, 2), v = normal({2, 24, 16}, 3);
  const at::Tensor trained = softmax_attention(q, k, v, 2, bias);
  const at::NoGradGuard no_grad;
  EXPECT_TRUE(near(softmax_attention(q, k, v, 2, bias), trained, 2e-6));
}

TEST_P(SoftmaxCausality, NotANumberIsNotHidden) {
  const ForcePath forced(GetParam());
  CausalBias bias(1, false);
  at::Tensor data = normal({1, 20, 4}, 1);
  data[0][19][0] = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor q = leaf(data);
  const at::Tensor y = softmax_attention(q, normal({1, 20, 4}, 2), normal({1, 20, 4}, 3), 1, bias);
  EXPECT_TRUE(y[0][19].isnan().all().item<bool>());
  EXPECT_FALSE(y.narrow(1, 0, 19).isnan().any().item<bool>());
}

INSTANTIATE_TEST_SUITE_P(Paths, SoftmaxCausality, kPaths);

}  // namespace
}  // namespace bitsweep::nn
