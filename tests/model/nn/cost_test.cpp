#include "nn/cost.h"

#include <gtest/gtest.h>

namespace bitsweep::nn {
namespace {

const std::vector<Stage> kStages = {
    {.block = "a", .weights = 10, .kept_bytes = 100, .forward_bytes = 5, .backward_bytes = 20},
    {.block = "b", .weights = 1, .kept_bytes = 50, .forward_bytes = 400, .backward_bytes = 30},
    {.block = "c", .weights = 2, .kept_bytes = 30, .forward_bytes = 0, .backward_bytes = 60},
};

TEST(PeakBytes, IsTheMostAtOnce) {
  EXPECT_EQ(peak_activation_bytes(kStages), 100 + 50 + 400);  // while b runs forward
  std::vector<Stage> small = kStages;
  small[1].forward_bytes = 0;
  EXPECT_EQ(peak_activation_bytes(small), 100 + 50 + 30 + 60);  // while c runs backward
  EXPECT_EQ(peak_bytes(small, false), 100 + 50 + 30 + 60 + 2 * 4);
  // All gradients are there before the second micro-batch.
  EXPECT_EQ(peak_bytes(small, true), 100 + 50 + 30 + 60 + 13 * 4);
}

TEST(PeakBytes, GradientsAloneCanBeTheMost) {
  EXPECT_EQ(peak_bytes({{.block = "a", .weights = 1000, .kept_bytes = 1}}, false), 4001);
  EXPECT_EQ(peak_bytes({}, true), 0);
}

double flops(const AttentionRule& rule) {
  StageList stages({8, 1, 2, 4}, {.vocab = 10, .context = 16});
  stages.attention({}, {}, rule);
  stages.ffn({}, {});
  stages.head(false);
  double sum = 0;
  for (const Stage& stage : stages.take()) sum += stage.flops;
  return sum;
}

TEST(StageList, FlopsCountTwoPerMultiplyAdd) {
  const double matrices = 2.0 * (4 * 64 + 3 * 32) + 2.0 * 80, scores = 2.0 * 8 * 16;
  EXPECT_DOUBLE_EQ(flops({.kind = AttentionKind::gumbel}), matrices + scores);
  EXPECT_DOUBLE_EQ(flops({.kind = AttentionKind::softmax}), matrices + 2 * scores);
  EXPECT_DOUBLE_EQ(flops({.kind = AttentionKind::rwsp, .keys = 4}), matrices + scores + 2.0 * 8 * (4 - 6.0 / 16));
}

TEST(StageList, BytesGrowWithTheBatchAlone) {
  const auto kept = [](int64_t sequences, int64_t element_bytes) {
    StageList stages({64, 2, 4, 32}, {.vocab = 128, .sequences = sequences, .element_bytes = element_bytes});
    for (int layer = 0; layer < 2; ++layer) stages.attention({}, {}, {.kind = AttentionKind::softmax});
    int64_t sum = 0;
    for (const Stage& stage : stages.take()) sum += stage.kept_bytes;
    return sum;
  };
  EXPECT_EQ(kept(6, 4), 6 * kept(1, 4));
  EXPECT_EQ(kept(3, 4), 2 * kept(3, 2));
}

}  // namespace
}  // namespace bitsweep::nn
