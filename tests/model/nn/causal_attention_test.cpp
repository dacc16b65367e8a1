#include "nn/causal_attention.h"

#include "nn/key_shift.h"
#include "nn/softmax_attention.h"
#include "nn/tensors.h"

namespace bitsweep::nn {
namespace {

constexpr int64_t kHeads = 4, kSize = 6, kContext = 19;

TEST(CausalAttention, QueryHeadsShareKeysInTurn) {
  for (const int64_t kv_heads : {1, 2}) {
    CausalAttention attention(kHeads, kSize, {.kind = AttentionKind::softmax}, kv_heads);
    CausalBias bias(kHeads, true);
    const at::Tensor q = leaf(normal({2, kContext, kHeads * kSize}, 1)),
                     k = leaf(normal({2, kContext, kv_heads * kSize}, 2)),
                     v = leaf(normal({2, kContext, kv_heads * kSize}, 3));
    const std::vector<at::Tensor> plain{leaf(q), leaf(k), leaf(v)};
    const auto repeated = [&](const at::Tensor& x) {
      return at::repeat_interleave(x.view({2, kContext, kv_heads, kSize}), kHeads / kv_heads, 2)
          .reshape({2, kContext, kHeads * kSize});
    };
    const AttentionStep step{.kind = AttentionKind::softmax, .noise = {}};
    const at::Tensor y = attention.forward(q, k, v, step);
    const at::Tensor expected = softmax_attention(plain[0], repeated(plain[1]), repeated(plain[2]), kHeads, bias);
    EXPECT_TRUE(near(y, expected, 1e-6));
    const auto got = gradients_of(y, {q, k, v}), want = gradients_of(expected, plain);
    for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(near(got[i], want[i], 1e-5)) << i;
  }
}

struct Way {
  AttentionKind kind;
  Positions positions;
  int64_t kv_heads;
};

class Cached : public testing::TestWithParam<std::tuple<Way, Path>> {};

// A prompt, a few positions at once, then one by one.
TEST_P(Cached, PositionsOneByOneAreThoseOfTheWhole) {
  const auto& [way, path] = GetParam();
  const ForcePath forced(path);
  const at::NoGradGuard no_grad;
  CausalAttention attention(kHeads, kSize, {.kind = way.kind, .positions = way.positions}, way.kv_heads);
  // Signs, so that sums of the pointers are whole numbers.
  const at::Tensor q = signs({3, kContext, kHeads * kSize}, 1), k = signs({3, kContext, way.kv_heads * kSize}, 2),
                   v = signs({3, kContext, way.kv_heads * kSize}, 3);
  const AttentionStep step{.kind = way.kind, .noise = {}, .keys = 4, .rho = 0.5};
  const at::Tensor whole = attention.forward(q, k, v, step);
  LayerCache cache;
  std::vector<at::Tensor> parts;
  for (int64_t first = 0; first < kContext;) {
    const int64_t count = first == 0 ? 7 : first == 7 ? 3 : 1;
    const auto part = [&](const at::Tensor& x) { return x.narrow(1, first, count); };
    parts.push_back(attention.forward(part(q), part(k), part(v), step, &cache));
    first += count;
  }
  EXPECT_EQ(cache.positions(), kContext);
  EXPECT_TRUE(near(at::cat(parts, 1), whole, 1e-6));
}

INSTANTIATE_TEST_SUITE_P(Ways, Cached,
                         testing::Combine(testing::Values(Way{AttentionKind::softmax, Positions::alibi, 4},
                                                          Way{AttentionKind::softmax, Positions::rope, 2},
                                                          Way{AttentionKind::softmax, Positions::none, 1},
                                                          Way{AttentionKind::gumbel, Positions::alibi, 4},
                                                          Way{AttentionKind::gumbel, Positions::none, 4},
                                                          Way{AttentionKind::gumbel, Positions::rope, 2},
                                                          Way{AttentionKind::topk, Positions::alibi, 4},
                                                          Way{AttentionKind::topk, Positions::none, 4},
                                                          Way{AttentionKind::rwsp, Positions::alibi, 4},
                                                          Way{AttentionKind::rwsp, Positions::rope, 1}),
                                          kPaths));

TEST(KeyShift, OfRowsThatFollowOthersReadsThem) {
  const at::Tensor x = normal({2, 11, 3}, 1);
  for (const int64_t offset : {1, 2, 5, 20}) {
    at::Tensor earlier;
    std::vector<at::Tensor> parts;
    for (const auto& [first, count] : {std::pair<int64_t, int64_t>{0, 3}, {3, 1}, {4, 1}, {5, 6}})
      parts.push_back(with_earlier(x.narrow(1, first, count), offset, earlier));
    EXPECT_TRUE(same(at::cat(parts, 1), with_earlier(x, offset))) << offset;
    EXPECT_LE(earlier.size(1), offset);
  }
}

}  // namespace
}  // namespace bitsweep::nn
