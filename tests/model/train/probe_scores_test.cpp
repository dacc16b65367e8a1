// The probes' numbers on matrices small enough to count by hand.
#include "train/probe_scores.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "base/error.h"

namespace bitsweep::train {
namespace {

using testing::HasSubstr;

at::Tensor tokens_of(const std::vector<std::string>& windows) {
  at::Tensor tokens =
      at::empty({static_cast<int64_t>(windows.size()), static_cast<int64_t>(windows[0].size())}, at::kLong);
  for (size_t w = 0; w < windows.size(); ++w)
    for (size_t t = 0; t < windows[w].size(); ++t)
      tokens[static_cast<int64_t>(w)][static_cast<int64_t>(t)] = windows[w][t];
  return tokens;
}

// keys[head][query], one window: a pointer's weights [1, H, T, T].
at::Tensor pointing(const std::vector<std::vector<int64_t>>& keys) {
  const auto heads = static_cast<int64_t>(keys.size()), context = static_cast<int64_t>(keys[0].size());
  at::Tensor weights = at::zeros({1, heads, context, context});
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t t = 0; t < context; ++t) weights[0][h][t][keys[static_cast<size_t>(h)][static_cast<size_t>(t)]] = 1;
  return weights;
}

at::Generator seeded(uint64_t seed) {
  at::Generator generator = at::globalContext().defaultGenerator(at::kCPU).clone();
  generator.set_current_seed(seed);
  return generator;
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(InductionMatches, AreWhatFollowedTheSameTokenEarlier) {
  const at::Tensor matches = induction_matches(tokens_of({"abab"}))[0];
  at::Tensor expected = at::zeros({4, 4}, at::kBool);
  expected[2][1] = true;  // the a at 2: b followed the a at 0
  expected[3][2] = true;
  EXPECT_TRUE(matches.equal(expected));
}

TEST(InductionMatches, OfAnEqualNeighbourAreTheQueryItself) {
  const at::Tensor matches = induction_matches(tokens_of({"aaa"}))[0];
  at::Tensor expected = at::zeros({3, 3}, at::kBool);
  expected[1][1] = true;
  expected[2][1] = true;
  expected[2][2] = true;
  EXPECT_TRUE(matches.equal(expected));
}

TEST(InductionMatches, AreNoneWhereNothingRepeats) {
  EXPECT_FALSE(induction_matches(tokens_of({"abcd"})).any().item<bool>());
  EXPECT_FALSE(induction_matches(tokens_of({"a"})).any().item<bool>());
}

TEST(MostAttended, TakesTheMostRecentOfEquals) {
  at::Tensor weights = at::zeros({1, 1, 3, 3});
  weights[0][0][0][0] = 1;
  weights[0][0][1][0] = weights[0][0][1][1] = 0.5;
  weights[0][0][2][0] = 0.2;
  weights[0][0][2][1] = 0.6;
  weights[0][0][2][2] = 0.2;
  EXPECT_TRUE(most_attended(weights).flatten().equal(at::tensor({0, 1, 1}, at::kLong)));
}

TEST(AttentionTally, CountsOnAMatrixByHand) {
  AttentionTally tally;
  tally.begin(tokens_of({"abab"}));
  // Head 0: right at 2, wrong at 3. Head 1 looks at itself.
  tally.layer(pointing({{0, 0, 1, 3}, {0, 1, 2, 3}}));
  EXPECT_EQ(tally.queries(), 2);
  EXPECT_DOUBLE_EQ(tally.ipmr_chance(), (1.0 / 3 + 1.0 / 4) / 2);
  EXPECT_DOUBLE_EQ(tally.induction_chance(), (1.0 / 3 + 1.0 / 4) / 4);
  const std::vector<LayerScores> layers = tally.layers();
  ASSERT_EQ(layers.size(), 1u);
  ASSERT_EQ(layers[0].heads.size(), 2u);
  EXPECT_DOUBLE_EQ(layers[0].heads[0].ipmr, 0.5);
  EXPECT_DOUBLE_EQ(layers[0].heads[0].induction, 0.25);
  EXPECT_DOUBLE_EQ(layers[0].heads[1].ipmr, 0);
  EXPECT_TRUE(std::isnan(layers[0].heads[0].agreement));  // of one window
  EXPECT_DOUBLE_EQ(layers[0].hdr, (0.5 + 1 + 1 + 0.5) / 4);
}

TEST(AttentionTally, TakesMassFromSoftWeights) {
  AttentionTally tally;
  tally.begin(tokens_of({"aba"}));
  at::Tensor weights = at::zeros({1, 1, 3, 3});
  weights[0][0][0][0] = 1;
  weights[0][0][1][0] = weights[0][0][1][1] = 0.5;
  weights[0][0][2][0] = 0.5;
  weights[0][0][2][1] = 0.375;
  weights[0][0][2][2] = 0.125;
  tally.layer(weights);
  const HeadScores head = tally.layers()[0].heads[0];
  EXPECT_DOUBLE_EQ(head.ipmr, 0);  // most goes to key 0, the match is 1
  EXPECT_DOUBLE_EQ(head.induction, 0.375 / 3);
}

TEST(AttentionTally, TellsPositionFromContent) {
  AttentionTally tally;
  // Head 0 looks one back whatever stands there; head 1 looks elsewhere in each window.
  tally.begin(tokens_of({"abcd"}));
  tally.layer(pointing({{0, 0, 1, 2}, {0, 0, 0, 0}}));
  tally.begin(tokens_of({"dcba"}));
  tally.layer(pointing({{0, 0, 1, 2}, {0, 1, 1, 1}}));
  tally.begin(tokens_of({"bdac"}));
  tally.layer(pointing({{0, 0, 1, 2}, {0, 1, 2, 0}}));
  const std::vector<HeadScores> heads = tally.layers()[0].heads;
  EXPECT_DOUBLE_EQ(heads[0].agreement, 1);
  EXPECT_TRUE(heads[0].locked());
  // Pairs of windows that agree: at place 1 one of 3, at place 2 none, at place 3 one.
  EXPECT_DOUBLE_EQ(heads[1].agreement, 2.0 / 9);
  EXPECT_TRUE(heads[1].content_driven());
}

TEST(AttentionTally, AddsWindowsUpHoweverTheyAreCut) {
  const at::Tensor tokens = at::randint(0, 5, {6, 12}, seeded(1), at::kLong);
  const at::Tensor weights = at::rand({6, 3, 12, 12}, seeded(2)).tril();
  AttentionTally whole, cut;
  whole.begin(tokens);
  whole.layer(weights);
  for (const auto& [first, count] : {std::pair<int64_t, int64_t>{0, 4}, {4, 2}}) {
    cut.begin(tokens.narrow(0, first, count));
    cut.layer(weights.narrow(0, first, count));
  }
  EXPECT_EQ(whole.queries(), cut.queries());
  EXPECT_NEAR(whole.ipmr_chance(), cut.ipmr_chance(), 1e-12);
  for (size_t h = 0; h < 3; ++h) {
    EXPECT_DOUBLE_EQ(whole.layers()[0].heads[h].ipmr, cut.layers()[0].heads[h].ipmr);
    EXPECT_NEAR(whole.layers()[0].heads[h].induction, cut.layers()[0].heads[h].induction, 1e-6);
    EXPECT_DOUBLE_EQ(whole.layers()[0].heads[h].agreement, cut.layers()[0].heads[h].agreement);
  }
}

// A uniformly random pointer meets its matches at the chance rate, by simulation.
TEST(AttentionTally, ChanceIsWhatRandomPointersGet) {
  const at::Tensor tokens = at::randint(0, 6, {40, 32}, seeded(3), at::kLong);
  at::Tensor scores = at::rand({40, 8, 32, 32}, seeded(4)).tril();
  AttentionTally tally;
  tally.begin(tokens);
  tally.layer(scores);
  const std::vector<LayerScores> layers = tally.layers();
  double mean = 0;
  for (const HeadScores& head : layers[0].heads) mean += head.ipmr / 8;
  EXPECT_NEAR(mean, tally.ipmr_chance(), 0.015);
}

TEST(AttentionTally, RefusesWhatAPluginTellsWrongly) {
  AttentionTally tally;
  tally.begin(tokens_of({"abab"}));
  EXPECT_THAT(message_of([&] { tally.layer(at::zeros({1, 4, 4})); }), HasSubstr("expected [B, H, T, T]"));
  EXPECT_THAT(message_of([&] { tally.layer(at::zeros({1, 2, 4, 5})); }), HasSubstr("B 1 and T 4"));
  tally.layer(pointing({{0, 0, 1, 3}}));
  tally.begin(tokens_of({"abab"}));
  EXPECT_THAT(message_of([&] { tally.layer(pointing({{0, 0, 0, 0}, {0, 0, 0, 0}})); }), HasSubstr("1 heads and then"));
  AttentionTally short_pass;
  short_pass.begin(tokens_of({"abab"}));
  short_pass.layer(pointing({{0, 0, 1, 3}}));
  short_pass.layer(pointing({{0, 0, 1, 3}}));
  short_pass.begin(tokens_of({"abab"}));
  short_pass.layer(pointing({{0, 0, 1, 3}}));
  EXPECT_THAT(message_of([&] { short_pass.layers(); }), HasSubstr("2 times in one forward pass and 1 in another"));
}

}  // namespace
}  // namespace bitsweep::train
