#include "nn/attention_rule.h"

#include <gmock/gmock.h>

#include "nn/key_shift.h"
#include "nn/pointer_block.h"
#include "nn/softmax_attention.h"
#include "nn/tensors.h"
#include "nn/top_keys.h"

namespace bitsweep::nn {
namespace {

using testing::HasSubstr;

const std::vector<AttentionKind> kAll = {AttentionKind::gumbel, AttentionKind::topk, AttentionKind::rwsp};

struct Read {
  AttentionRule rule;
  std::string resolved, problem;
};

Read read(const std::string& options_json, int64_t context = 32, const std::vector<AttentionKind>& kinds = kAll) {
  const json::object options = parse_json(options_json, "options").as_object();
  OptionReader reader(options);
  Read read;
  read.rule = read_attention(reader, kinds, context);
  read.resolved = json::serialize(reader.resolved());
  try {
    reader.finish();
  } catch (const Error& error) {
    read.problem = error.what();
  }
  return read;
}

TEST(ReadAttention, RecordsOnlyWhatTheChosenKindReads) {
  EXPECT_EQ(read("{}").resolved, R"({"attention":"gumbel","alibi":true,"tau_start":2E0,"tau_end":1E-1})");
  EXPECT_EQ(read(R"({"rwsp_k": 8, "rho_end": 0.5, "topk_k": 3})").resolved, read("{}").resolved);
  EXPECT_EQ(read(R"({"attention": "topk", "topk_k": 3, "rwsp_k": 8})").resolved,
            R"({"attention":"topk","alibi":true,"tau_start":2E0,"tau_end":1E-1,"topk_k":3})");
  const Read rwsp = read(R"({"attention": "rwsp", "topk_k": 3})");
  EXPECT_THAT(rwsp.resolved, HasSubstr(R"("rwsp_k":4,"rho_start":1E0,"rho_end":0E0,"rho_schedule":"linear")"));
  EXPECT_EQ(rwsp.rule.keys, 4);
  EXPECT_EQ(read(R"({"attention": "topk", "topk_k": 3})").rule.keys, 3);
}

// Of a model of two heads; width 0: rope is not offered.
Read read_positions(const std::string& options_json, int64_t width = 32) {
  const json::object options = parse_json(options_json, "options").as_object();
  OptionReader reader(options, {{"positions", "alibi"}});  // as a new sweep asks
  const Shape shape{.d_model = width, .n_layers = 1, .n_heads = 2, .d_ff = 8};
  Read read;
  read.rule = read_softmax_attention(reader, width > 0 ? &shape : nullptr);
  read.resolved = json::serialize(reader.resolved());
  try {
    reader.finish();
  } catch (const Error& error) {
    read.problem = error.what();
  }
  return read;
}

TEST(ReadPositions, RecordsAlibiAloneUnlessTheyAreRotary) {
  for (const char* same : {"{}", R"({"alibi": true})", R"({"positions": "alibi"})",
                           R"({"positions": "alibi", "alibi": true})", R"({"rope_theta": 500})"})
    EXPECT_EQ(read_positions(same).resolved, R"({"alibi":true})") << same;
  for (const char* same :
       {R"({"alibi": false})", R"({"positions": "none"})", R"({"positions": "none", "alibi": false})"}) {
    EXPECT_EQ(read_positions(same).resolved, R"({"alibi":false})") << same;
    EXPECT_EQ(read_positions(same).rule.positions, Positions::none) << same;
  }
  EXPECT_EQ(read_positions(R"({"positions": "rope"})").resolved, R"({"positions":"rope","rope_theta":1E4})");
  const Read far = read_positions(R"({"positions": "rope", "rope_theta": 500000, "alibi": false})");
  EXPECT_EQ(far.rule.positions, Positions::rope);
  EXPECT_EQ(far.rule.rope_theta, 5e5);
  EXPECT_EQ(far.problem, "");
}

// What runs of before did not have names no run of now, unless it is used.
TEST(ReadPositions, ScaledPositionsAreRecordedWhereThereIsAFactor) {
  EXPECT_EQ(read_positions(R"({"positions": "rope", "rope_factor": 1, "rope_low_freq_factor": 2})").resolved,
            R"({"positions":"rope","rope_theta":1E4})");
  EXPECT_EQ(read_positions(R"({"alibi": true, "rope_factor": 8})").resolved,
            read_positions(R"({"alibi": true})").resolved);
  const Read scaled = read_positions(
      R"({"positions": "rope", "rope_factor": 32, "rope_high_freq_factor": 5, "rope_original_positions": 4096})");
  EXPECT_EQ(scaled.rule.rope_scaling.factor, 32);
  EXPECT_EQ(scaled.rule.rope_scaling.low, 1);
  EXPECT_EQ(scaled.rule.rope_scaling.high, 5);
  EXPECT_EQ(scaled.rule.rope_scaling.positions, 4096);
  EXPECT_THAT(scaled.resolved, HasSubstr(R"("rope_original_positions":4096)"));
  EXPECT_THAT(read_positions(R"({"positions": "rope", "rope_factor": 2, "rope_low_freq_factor": 4})").problem,
              HasSubstr("rope_high_freq_factor: expected more than rope_low_freq_factor (4), got 4"));
}

TEST(ReadPositions, RefusesWhatContradictsItself) {
  EXPECT_THAT(read_positions(R"({"positions": "rope", "alibi": true})").problem,
              HasSubstr("positions: rope and alibi: true contradict each other; give one of them"));
  EXPECT_THAT(read_positions(R"({"positions": "none", "alibi": true})").problem, HasSubstr("contradict"));
  EXPECT_THAT(read_positions(R"({"positions": "alibi", "alibi": false})").problem, HasSubstr("contradict"));
  EXPECT_THAT(read_positions(R"({"positions": "rope"})", 30).problem,
              HasSubstr("positions: rope turns pairs of numbers, so d_model/n_heads must be even, got 30/2"));
  EXPECT_THAT(read_positions(R"({"positions": "roppe"})").problem, HasSubstr("did you mean 'rope'?"));
  EXPECT_THAT(read_positions(R"({"rope_theta": 0})").problem, HasSubstr("rope_theta: expected a number from 1 to"));
  EXPECT_THAT(read_positions(R"({"positions": "rope"})", 0).problem,
              HasSubstr("positions: expected one of alibi, none, got \"rope\""));
  EXPECT_THAT(read_positions(R"({"rope_theta": 10})", 0).problem, HasSubstr("unknown option 'rope_theta'"));
}

struct BadRule {
  const char* options;
  const char* says;
};

class BadAttention : public testing::TestWithParam<BadRule> {};

TEST_P(BadAttention, IsRefusedWithItsRange) {
  EXPECT_THAT(read(GetParam().options).problem, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadAttention,
    testing::Values(
        BadRule{R"({"attention":"rwsp","rwsp_k":33})", "rwsp_k: expected an integer from 2 to the context (32)"},
        BadRule{R"({"attention":"topk","topk_k":64})", "topk_k: expected an integer from 2 to the context (32)"},
        BadRule{R"({"attention":"rwsp","rwsp_k":1})", "rwsp_k: expected an integer from 2 to 64, got 1"},
        BadRule{R"({"rwsp_k":65})", "rwsp_k: expected an integer from 2 to 64, got 65"},
        BadRule{R"({"attention":"rwsp","rho_start":1.5})", "rho_start: expected a number from 0.001 to 1"},
        BadRule{R"({"attention":"rwsp","rho_start":0})", "rho_start: expected a number from 0.001 to 1"},
        BadRule{R"({"attention":"rwsp","rho_end":-0.1})", "rho_end: expected a number from 0 to 1"},
        BadRule{R"({"attention":"rwsp","rho_schedule":"geometric"})", "geometric needs rho_start and rho_end"},
        BadRule{R"({"rho_schedule":"liner"})", "did you mean 'linear'?"},
        BadRule{R"({"attention":"softmax"})", "attention: expected one of gumbel, topk, rwsp"},
        BadRule{R"({"tau_start":0})", "tau_start: expected a number from 0.001 to 100, got 0"},
        BadRule{R"({"tau_end":"cold"})", "tau_end: expected a number from 0.001 to 100"},
        BadRule{R"({"alibi":1})", "alibi: expected true or false"}));

TEST(AttentionStep, FollowsTheRunsProgress) {
  AttentionRule rule;
  rule.kind = AttentionKind::rwsp;
  StepContext context{.training = true, .step = 0, .total_steps = 5, .noise = generator(1)};
  EXPECT_DOUBLE_EQ(attention_step(rule, context).rho, 1);
  EXPECT_DOUBLE_EQ(attention_step(rule, context).noise->tau, 2);
  context.step = 2;
  EXPECT_DOUBLE_EQ(attention_step(rule, context).rho, 0.5);
  context.step = 4;
  EXPECT_DOUBLE_EQ(attention_step(rule, context).rho, 0);
  EXPECT_NEAR(attention_step(rule, context).noise->tau, 0.1, 1e-12);
  context.training = false;
  context.step = 2;
  EXPECT_FALSE(attention_step(rule, context).noise);
  EXPECT_DOUBLE_EQ(attention_step(rule, context).rho, 0.5);
}

TEST(AttentionRule, SaysWhatAQueryMultiplies) {
  const auto products = [](AttentionKind kind, int64_t keys, int64_t context) {
    const AttentionProducts made = attention_products({.kind = kind, .keys = keys}, context);
    return std::pair(made.forward, made.backward);
  };
  EXPECT_EQ(products(AttentionKind::softmax, 4, 100), std::pair(200.0, 400.0));
  EXPECT_EQ(products(AttentionKind::gumbel, 4, 100), std::pair(100.0, 300.0));
  // The first three queries have 1, 2 and 3 keys: 394 in all.
  for (const AttentionKind kind : {AttentionKind::rwsp, AttentionKind::topk})
    EXPECT_EQ(products(kind, 4, 100), std::pair(103.94, 4 * 3.94));
  EXPECT_EQ(products(AttentionKind::rwsp, 2, 2), std::pair(3.5, 6.0));
}

TEST(Attend, TakesTheNamedWay) {
  CausalBias bias(2, true);
  const at::Tensor q = signs({2, 24, 16}, 1), k = signs({2, 24, 16}, 2), v = signs({2, 24, 16}, 3);
  const auto by = [&](AttentionKind kind) {
    return attend(q, k, v, 2, bias, AttentionStep{.kind = kind, .noise = {}, .keys = 4, .rho = 0.5});
  };
  EXPECT_TRUE(same(by(AttentionKind::softmax), softmax_attention(q, k, v, 2, bias)));
  EXPECT_TRUE(same(by(AttentionKind::gumbel), pointer_attention(q, k, v, 2, bias, std::nullopt)));
  EXPECT_TRUE(same(by(AttentionKind::topk), top_keys_attention(q, k, v, 2, bias, {.keys = 4, .vote = true}, {})));
  EXPECT_TRUE(
      same(by(AttentionKind::rwsp), top_keys_attention(q, k, v, 2, bias, {.keys = 4, .vote = false, .rho = 0.5}, {})));
}

TEST(KeyShift, AddsTheEarlierPositionAndZeroBeforeTheStart) {
  const at::Tensor x = normal({2, 6, 3}, 1);
  for (const int64_t offset : {1, 2, 5}) {
    const at::Tensor y = with_earlier(x, offset);
    for (int64_t t = 0; t < 6; ++t) {
      const at::Tensor expected = t < offset ? x.select(1, t) : x.select(1, t) + x.select(1, t - offset);
      EXPECT_TRUE(same(y.select(1, t), expected)) << offset << " " << t;
    }
  }
  EXPECT_TRUE(same(with_earlier(x, 6), x));
  EXPECT_TRUE(same(with_earlier(x, 600), x));
}

TEST(KeyShift, GradientGoesToBothPositions) {
  const at::Tensor x = leaf(normal({1, 5, 2}, 1));
  const at::Tensor gradient = gradients_of(with_earlier(x, 2), {x})[0], g = normal({1, 5, 2}, 99);
  for (int64_t t = 0; t < 5; ++t) {
    const at::Tensor expected = t + 2 < 5 ? g.select(1, t) + g.select(1, t + 2) : g.select(1, t);
    EXPECT_TRUE(near(gradient.select(1, t), expected, 1e-6));
  }
}

TEST(KeyShift, InABlockOnlyTheKeysReadIt) {
  Registry model;
  const PointerBlock<StrictLinear> block(ParameterSink(model), 16, OutputSign::clipped, OutputSign::clipped, 2);
  const auto& p = model.parameters();  // q, k, v, o: weight then threshold
  const auto linear = [&](const at::Tensor& x, size_t i) {
    return sign_linear(x, p[2 * i].tensor, p[2 * i + 1].tensor, 0.25, OutputSign::clipped);
  };
  CausalBias bias(2, true);
  const at::Tensor x = signs({2, 12, 16}, 1);
  CausalAttention attention(2, 8, AttentionRule{});
  const at::Tensor y = block.forward(x, attention, AttentionStep{});
  const at::Tensor mixed =
      pointer_attention(linear(x, 0), linear(with_earlier(x, 2), 1), linear(x, 2), 2, bias, std::nullopt);
  EXPECT_TRUE(same(y, linear(mixed, 3)));
}

// Keeps what it is told.
struct Told final : AttentionObserver {
  void attention(const at::Tensor& weights) override { all.push_back(weights); }
  std::vector<at::Tensor> all;
};

class Observed : public testing::TestWithParam<AttentionKind> {
 protected:
  const int64_t context_ = 24;
  const at::Tensor q_ = signs({2, context_, 16}, 1), k_ = signs({2, context_, 16}, 2), v_ = signs({2, context_, 16}, 3);
  CausalBias bias_{2, true};
};

TEST_P(Observed, WeightsMakeTheOutput) {
  Told told;
  const AttentionStep step{.kind = GetParam(), .noise = {}, .keys = 4, .rho = 0.5, .observer = &told};
  const at::Tensor out = attend(q_, k_, v_, 2, bias_, step);
  ASSERT_EQ(told.all.size(), 1u);
  const at::Tensor& weights = told.all[0];
  ASSERT_EQ(weights.sizes(), at::IntArrayRef({2, 2, context_, context_}));
  EXPECT_EQ(weights.scalar_type(), at::kFloat);
  EXPECT_FALSE(weights.requires_grad());
  EXPECT_TRUE(near(weights.sum(3), at::ones({2, 2, context_}), 1e-5));
  EXPECT_TRUE(same(weights.triu(1), at::zeros_like(weights)));
  const at::Tensor values = v_.view({2, context_, 2, 8}).transpose(1, 2);  // [B, H, T, d_h]
  at::Tensor mixed = at::matmul(weights, values).transpose(1, 2).reshape({2, context_, 16});
  if (GetParam() == AttentionKind::topk) mixed = mixed.add(1e-6).sign();  // a vote
  EXPECT_TRUE(near(out, mixed, 1e-5));
}

TEST_P(Observed, ChangesNothing) {
  Told told;
  AttentionStep step{.kind = GetParam(), .noise = {}, .keys = 4, .rho = 0.5};
  const at::Tensor alone = attend(q_, k_, v_, 2, bias_, step);
  step.observer = &told;
  EXPECT_TRUE(same(attend(q_, k_, v_, 2, bias_, step), alone));
}

INSTANTIATE_TEST_SUITE_P(Kinds, Observed,
                         testing::Values(AttentionKind::gumbel, AttentionKind::rwsp, AttentionKind::topk,
                                         AttentionKind::softmax));

TEST(AttentionStep, IsObservedInEvaluationAlone) {
  Told told;
  StepContext context;
  context.observer = &told;
  EXPECT_EQ(attention_step(AttentionRule{}, context).observer, &told);
  context.training = true;
  context.noise = generator(1);
  EXPECT_EQ(attention_step(AttentionRule{}, context).observer, nullptr);
}

}  // namespace
}  // namespace bitsweep::nn
