// An engine's step against the same step of the blocks: losses, scores and every gradient, and that they depend on
// neither threads nor instruction set. Gradients that are rounded on their way against those that are not.
#include <gtest/gtest.h>

#include <ATen/Parallel.h>

#include "base/error.h"
#include "kernels/isa.h"
#include "step_test.h"

namespace bitsweep {
namespace {

const std::vector<StepCase> kCases = {
    {"v57", "v57", shape(32, 2, 2, 24)},
    {"OddSizes", "v57", shape(60, 1, 3, 41), 97, 37, 2},
    {"OneHeadOfManyWords", "v57", shape(72, 1, 1, 33), 50, 33, 1},
    {"SmallestOfAll", "v57", shape(8, 1, 8, 1), 2, 2, 1},
    {"WithoutAlibi", "v57", shape(32, 1, 2, 24, R"("alibi": false)")},
    {"IdentityGradients", "v57", shape(32, 2, 2, 24, R"("output_ste": "identity")")},
    {"Vote", "v57", shape(32, 2, 2, 24, R"("attention": "topk")")},
    {"VoteOfThree", "v57", shape(40, 1, 2, 24, R"("attention": "topk", "topk_k": 3)")},
    {"MixedByRank", "v57", shape(32, 2, 2, 24, R"("attention": "rwsp")")},
    {"FewMixedByRank", "v57", shape(60, 1, 3, 41, R"("attention": "rwsp", "rwsp_k": 3)"), 97, 37, 2},
    {"ManyRows", "v57", shape(48, 1, 2, 24), kVocab, 300, 2},
    {"LargeVocabulary", "v57", shape(32, 1, 2, 24), 5000, 64, 2},
    {"LogitsInParts", "v57", shape(8, 1, 1, 8), 60000, 100, 2},
    {"truebit", "truebit", shape(32, 2, 2, 24)},
    {"TruebitVote", "truebit", shape(60, 1, 3, 41, R"("attention": "topk")"), 97, 37, 2},
    {"v47b", "v47b", shape(32, 2, 2, 24)},
    {"LearnedScales", "v47b", shape(60, 2, 3, 41, R"("alpha": "learned")"), 97, 37, 2},
    {"v75", "v75", shape(32, 2, 2, 24)},
    {"FloatsOfOddSizes", "v75", shape(60, 1, 3, 41), 97, 37, 2},
    {"FloatsSmallestOfAll", "v75", shape(8, 1, 8, 1), 2, 2, 1},
    {"FloatsWithoutAlibi", "v75", shape(32, 1, 2, 24, R"("alibi": false)")},
    {"FloatsIdentityGradients", "v75", shape(32, 2, 2, 24, R"("output_ste": "identity")")},
    {"FloatsManyRows", "v75", shape(48, 1, 2, 96), kVocab, 300, 2},
    {"FloatsLargeVocabulary", "v75", shape(32, 1, 2, 24), 5000, 64, 2},
    {"FloatsLogitsInParts", "v75", shape(8, 1, 1, 8), 60000, 100, 2},
    {"v76", "v76", shape(32, 2, 2, 24)},
    {"ShiftsAndSixKeys", "v76", shape(60, 3, 3, 41, R"("kshift_layers": [0, 2], "kshift_offset": 5, "rwsp_k": 6)"), 97,
     37, 2},
    {"ShiftsOfAPointer", "v76", shape(40, 1, 2, 24, R"("attention": "gumbel", "alpha": "learned")")},
    {"v52", "v52", shape(32, 2, 2, 24)},
    {"ScaledOddSizes", "v52", shape(60, 2, 3, 41, R"("alpha": "learned", "positions": "rope")"), 97, 37, 2},
    {"ScaledWide", "v52", shape(270, 1, 9, 300), 50, 23, 2},
    {"ScaledSmallestOfAll", "v52", shape(8, 1, 8, 1), 2, 2, 1},
    {"ScaledLogitsInParts", "v52", shape(8, 1, 1, 8), 60000, 100, 2},
    {"llama", "llama", shape(32, 2, 2, 24)},
    {"LlamaOddSizes", "llama", shape(60, 2, 3, 41, R"("positions": "rope")"), 97, 37, 2},
    {"LlamaSmallestOfAll", "llama", shape(8, 1, 8, 1), 2, 2, 1},
    {"LlamaSharedKeys", "llama", shape(64, 2, 4, 24, R"("n_kv_heads": 2, "positions": "rope", "tied": true)")},
    {"LlamaOneKeyHead", "llama", shape(60, 1, 3, 41, R"("n_kv_heads": 1, "alibi": false)"), 97, 37, 2},
    {"LlamaManyRows", "llama", shape(48, 1, 2, 96), kVocab, 300, 2},
    {"LlamaLogitsInParts", "llama", shape(8, 1, 1, 8, R"("tied": true)"), 60000, 100, 2},
    {"b158", "b158", shape(32, 2, 2, 24)},
    {"BytesOddSizes", "b158", shape(60, 2, 3, 41, R"("positions": "rope", "n_kv_heads": 1)"), 97, 37, 2},
    {"BytesOuterAndSub", "b158", shape(40, 2, 2, 33, R"("norms": "outer_and_sub", "activation": "relu2")")},
    {"BytesSmallestOfAll", "b158", shape(8, 1, 8, 1), 2, 2, 1},
    {"BytesLogitsInParts", "b158", shape(8, 1, 1, 8), 60000, 100, 2},
    {"bitnet", "bitnet", shape(32, 2, 2, 24)},
    {"BitnetOddSizes", "bitnet", shape(60, 2, 3, 41, R"("positions": "rope", "tied": true)"), 97, 37, 2},
    {"BitnetWide", "bitnet", shape(270, 1, 9, 300), 50, 23, 2},
    {"BytesWide", "b158", shape(270, 1, 9, 300), 50, 23, 2},
    {"FloatsWide", "v75", shape(270, 1, 9, 300), 50, 23, 2},
    {"BitnetManyRows", "bitnet", shape(48, 1, 2, 96), kVocab, 300, 2}};

// Of weights that are ±1, whose engines round gradients themselves.
std::vector<StepCase> rounding_cases() {
  std::vector<StepCase> cases;
  for (const StepCase& c : kCases) {
    const std::string plugin = c.plugin;
    if (plugin != "llama" && plugin != "b158" && plugin != "bitnet") cases.push_back(c);
  }
  return cases;
}

class Engines : public StepTest {};
class RoundingEngines : public StepTest {};

TEST_P(Engines, GiveTheLossAndEveryGradientOfTheBlocks) {
  ASSERT_NE(nn::engine_for(*model_, batch_.inputs, context()), nullptr);
  expect_near(step(), blocks_step());
}

TEST_P(Engines, TakeRowsOfZerosAndOfOneSign) {
  {
    const at::NoGradGuard no_grad;
    for (const nn::Parameter& parameter : model_->parameters())
      if (parameter.tensor.dim() == 2) {
        parameter.tensor.select(0, 0).zero_();
        parameter.tensor.select(0, -1).abs_();
      }
  }
  expect_near(step(), blocks_step());
}

TEST_P(Engines, AddUpMicroBatchesAndLeaveTargetsOut) {
  batch_.targets.narrow(0, 0, batch_.targets.size(0) / 2).fill_(train::kIgnoredTarget);
  const train::LossDivisor divisor{.parts = 2, .targets = 17};
  const auto both = [&] {
    loss_and_backward(*model_, batch_, context(), train::Precision::f32, divisor);
    return step(divisor);
  };
  const Result found = both();
  const nn::WithKernels composed(kernels::no_kernels());
  expect_near(found, both());
}

TEST_P(Engines, LeaveOutWhatIsFrozen) {
  const std::vector<nn::Parameter>& parameters = model_->parameters();
  for (size_t i = 0; i < parameters.size(); i += 2) parameters[i].tensor.set_requires_grad(false);
  expect_near(step(), blocks_step());
}

TEST_P(Engines, ScoreAsTheBlocksDo) {
  const train::TokenScores found = token_scores(*model_, batch_, {}, train::Precision::f32, /*likeliest=*/true);
  const nn::WithKernels composed(kernels::no_kernels());
  const train::TokenScores expected = token_scores(*model_, batch_, {}, train::Precision::f32, /*likeliest=*/true);
  EXPECT_TRUE(at::allclose(found.nats, expected.nats, GetParam().tolerance(), GetParam().tolerance()));
  const int64_t others = found.likeliest.ne(expected.likeliest).sum().item<int64_t>();
  EXPECT_LE(others, static_cast<int64_t>(GetParam().tolerance() * 10 * static_cast<double>(found.likeliest.numel())));
}

// Those that a model's engine takes.
std::vector<nn::Gradients> taken_by(nn::Model& model) {
  if (!model.engine()->rounds()) return {nn::Gradients::f32};
  return {std::begin(kGradients), std::end(kGradients)};
}

TEST_P(Engines, GiveTheSameBitsOnAnyNumberOfThreads) {
  const int threads = at::get_num_threads();
  for (const nn::Gradients gradients : taken_by(*model_)) {
    round(gradients);
    at::set_num_threads(1);
    const Result one = step();
    for (const int more : {2, 3}) {
      at::set_num_threads(more);
      expect_same(step(), one);
    }
  }
  at::set_num_threads(threads);
}

TEST_P(Engines, GiveTheSameBitsOnEveryInstructionSet) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);  // a choice of instruction set is a thread's
  for (const nn::Gradients gradients : taken_by(*model_)) {
    round(gradients);
    const Result chosen = step();
    for (const kernels::Isa isa : kernels::available_isas()) {
      const kernels::WithIsa with(isa);
      expect_same(step(), chosen);
    }
  }
  at::set_num_threads(threads);
}

TEST_P(RoundingEngines, RoundGradientsToInt16NearThoseOfF32) {
  const Result exact = step();
  round(nn::Gradients::int16);
  const Result rounded = step();
  EXPECT_EQ(rounded.loss, exact.loss);
  // Of many symbols most have few units, or less than half of one, in a row where the target has 1.
  const double tolerance = GetParam().vocab > 1000 ? 2e-2 : 2e-3;
  const double largest = largest_norm(exact);
  for (size_t i = 0; i < exact.gradients.size(); ++i) {
    const double norm = exact.gradients[i].norm().item<double>();
    EXPECT_LE((rounded.gradients[i] - exact.gradients[i]).norm().item<double>(), tolerance * norm + 1e-6 * largest)
        << i;
  }
  round(nn::Gradients::f32);
  expect_same(step(), exact);
}

// The backward pass is linear in what it gets, so roundings without bias on the way make none at its end: the mean of n
// is nearer to what is not rounded, by √n.
TEST_P(RoundingEngines, RoundGradientsToSixBitsWithoutBias) {
  if (GetParam().vocab > 1000) GTEST_SKIP() << "takes long, and the others say it";
  constexpr int64_t kSteps = 100;
  const Result exact = quiet_step(0);
  const size_t count = exact.gradients.size();
  round(nn::Gradients::s6);
  std::vector<at::Tensor> sums(count);
  std::vector<double> squares(count);
  for (int64_t i = 0; i < kSteps; ++i) {
    const Result rounded = quiet_step(i);
    EXPECT_EQ(rounded.loss, exact.loss);
    for (size_t k = 0; k < count; ++k) {
      const at::Tensor error = (rounded.gradients[k] - exact.gradients[k]).to(at::kDouble);
      sums[k] = sums[k].defined() ? sums[k] + error : error;
      squares[k] += error.square().sum().item<double>();
    }
  }
  bool any = false;
  for (size_t k = 0; k < count; ++k) {
    const double one = std::sqrt(squares[k] / kSteps);
    any |= one > 1e-3 * exact.gradients[k].norm().item<double>();
    EXPECT_LE((sums[k] / kSteps).norm().item<double>(), 0.3 * one + 1e-6 * largest_norm(exact)) << k;
  }
  EXPECT_TRUE(any);
}

TEST_P(RoundingEngines, RoundByTheStepAlone) {
  round(nn::Gradients::s6);
  const Result here = quiet_step(3), there = quiet_step(4);
  expect_same(quiet_step(3), here);
  bool differ = false;
  for (size_t i = 0; i < here.gradients.size(); ++i) differ |= !here.gradients[i].equal(there.gradients[i]);
  EXPECT_TRUE(differ);
}

INSTANTIATE_TEST_SUITE_P(Bits, Engines, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(Bits, RoundingEngines, testing::ValuesIn(rounding_cases()),
                         [](const auto& info) { return std::string(info.param.name); });

class LongContexts : public StepTest {};

TEST_P(LongContexts, GiveTheGradientsOfTheBlocks) { expect_near(step(), blocks_step()); }

INSTANTIATE_TEST_SUITE_P(Engine, LongContexts,
                         testing::Values(StepCase{"v57", "v57", shape(32, 1, 2, 8), 16, 4096, 1},
                                         StepCase{"v75", "v75", shape(32, 1, 2, 8), 16, 4096, 1},
                                         StepCase{"v76", "v76", shape(32, 1, 2, 8), 16, 4096, 1},
                                         StepCase{"llama", "llama", shape(32, 1, 2, 8), 16, 4096, 1}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(EngineUse, IsForTheCpuInF32AndWithoutAnObserver) {
  const plugin::OwnedModel model = build(built_plugin("v57"), request_of(kTiny));
  const at::Tensor inputs = at::zeros({1, kContext}, at::kLong);
  EXPECT_NE(nn::engine_for(*model, inputs, {}), nullptr);
  struct Observer : nn::AttentionObserver {
    void attention(const at::Tensor&) override {}
  } observer;
  EXPECT_EQ(nn::engine_for(*model, inputs, {.noise = {}, .observer = &observer}), nullptr);
  EXPECT_EQ(nn::engine_for(*model, inputs.to(at::kMeta), {}), nullptr);
  const plugin::OwnedModel bytes = build(built_plugin("b158"), request_of(kTiny));
  EXPECT_NE(nn::engine_for(*bytes, inputs, {}), nullptr);
  const nn::StepContext rounding{.training = true, .noise = {}, .gradients = nn::Gradients::s6};
  EXPECT_EQ(nn::engine_for(*bytes, inputs, rounding), nullptr);
}

TEST(EngineUse, RoundsWhatItsSumsHold) {
  const plugin::OwnedModel model = build(built_plugin("v57"), request_of(kTiny));
  const at::Tensor inputs = at::zeros({1025, 1024}, at::kLong), targets = at::zeros({1025 * 1024}, at::kLong);
  nn::StepEngine& engine = *nn::engine_for(*model, inputs, {});
  try {
    engine.train(inputs, targets, {.training = true, .noise = {}, .gradients = nn::Gradients::s6}, 1.0);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find("up to 1,048,576 tokens a micro-batch"), std::string::npos);
  }
}

TEST(EngineUse, IsDescribedWithWhyThereIsNone) {
  const auto because = [](const char* plugin, const std::string& options) {
    return built_plugin(plugin).describe(request_of(options)).path->because;
  };
  EXPECT_EQ(because("v75", shape(32, 1, 2, 24, R"("positions": "rope")")),
            "positions: rope turns queries and keys to floats");
  EXPECT_EQ(because("v76", shape(32, 1, 2, 24, R"("bonsai": true)")), "bonsai: weights are floats at first");
  EXPECT_EQ(because("v52", shape(32, 1, 2, 24, R"("positions": "rope")")), "");
  EXPECT_EQ(because("b158", kTiny), "");
  plugin::DescribeRequest rounding = request_of(kTiny);
  rounding.gradients = "s6";
  EXPECT_EQ(built_plugin("b158").describe(rounding).path->because,
            "train.gradients of 8-bit activations are rounded by blocks");
}

TEST(EngineUse, IsDescribedWithWhyGradientsAreF32) {
  const auto because = [](const char* plugin, const std::string& options, const char* precision = "f32") {
    plugin::DescribeRequest request = request_of(options);
    request.precision = precision;
    return built_plugin(plugin).describe(request).only_f32_because();
  };
  EXPECT_EQ(because("v57", kTiny), "");
  EXPECT_EQ(because("truebit", kTiny), "");
  EXPECT_NE(because("v57", kTiny, "bf16"), "");
  for (const char* name : {"v47b", "v52", "v75", "v76", "bitnet", "b158"}) EXPECT_EQ(because(name, kTiny), "") << name;
  EXPECT_EQ(because("llama", kTiny), "weights are floats");
}

}  // namespace
}  // namespace bitsweep
