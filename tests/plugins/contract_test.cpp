// Every plugin of this tree through the conformance suite (core/model/conformance), and what these owe beyond it.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "conformance/conformance.h"
#include "plugins/built_plugin.h"

namespace bitsweep {
namespace {

using testing::HasSubstr;

// One process a plugin: to start one costs more than most checks.
class Conformance : public testing::TestWithParam<const char*> {};

TEST_P(Conformance, PassesEveryCheck) {
  const conformance::Workbench bench(built_plugin(GetParam()), {});
  for (const conformance::Check& check : conformance::conformance_checks()) {
    const conformance::Outcome outcome = run_check(check, bench);
    EXPECT_TRUE(outcome.passed) << GetParam() << " fails " << check.name << ": " << outcome.decided;
  }
}

INSTANTIATE_TEST_SUITE_P(Plugins, Conformance, testing::ValuesIn(kPluginNames),
                         [](const auto& info) { return std::string(info.param); });

// The options that came later, all at once.
class ConformanceWithOptions : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(ConformanceWithOptions, PassesEveryCheck) {
  const auto& [name, options] = GetParam();
  const conformance::Workbench bench(built_plugin(name), parse_json(options, "options").as_object());
  for (const conformance::Check& check : conformance::conformance_checks()) {
    const conformance::Outcome outcome = run_check(check, bench);
    EXPECT_TRUE(outcome.passed) << name << " fails " << check.name << ": " << outcome.decided;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Plugins, ConformanceWithOptions,
    testing::Values(std::pair{"llama", R"({"positions": "rope", "n_kv_heads": 1, "tied": true, "norm_eps": 1e-5})"},
                    std::pair{"bitnet", R"({"positions": "rope", "n_kv_heads": 1})"},
                    std::pair{"b158", R"({"positions": "rope", "norms": "outer_and_sub", "activation": "relu2"})"},
                    std::pair{"v76", R"({"positions": "rope"})"}, std::pair{"v52", R"({"positions": "rope"})"}),
    [](const auto& info) { return std::string(info.param.first); });

at::Tensor logits(nn::Model& model, const at::Tensor& tokens) {
  const at::NoGradGuard no_grad;
  return model.forward(tokens, nn::StepContext{});
}

TEST(Contract, OnlyMatricesDecay) {
  for (const char* name : kPluginNames) {
    const plugin::OwnedModel model = build(built_plugin(name), request_of(kTiny));
    for (const nn::Parameter& parameter : model->parameters())
      EXPECT_EQ(parameter.decay, parameter.tensor.dim() == 2) << name << " " << parameter.name;
  }
}

TEST(Contract, TheEndsAreCalledEmbeddingAndHead) {
  for (const char* name : kPluginNames) {
    const plugin::OwnedModel model = build(built_plugin(name), request_of(kTiny));
    std::set<std::string> names;
    for (const nn::Parameter& parameter : model->parameters()) names.insert(parameter.name);
    for (const nn::BitMatrix& matrix : model->bit_matrices()) names.insert(matrix.name);
    EXPECT_TRUE(names.contains("embedding.weight") && names.contains("head.weight")) << name;
  }
}

// Where all sums are whole numbers, no batch rounds them otherwise.
TEST(Contract, StrictModelsDoNotDependOnTheBatchBitForBit) {
  for (const char* name : {"v57", "truebit"}) {
    const plugin::OwnedModel model = build(built_plugin(name), request_of(kTiny));
    const at::Tensor tokens = conformance::random_tokens(6), all = logits(*model, tokens);
    for (int64_t b = 0; b < 6; ++b)
      EXPECT_TRUE(logits(*model, tokens.narrow(0, b, 1)).equal(all.narrow(0, b, 1))) << name << " " << b;
  }
}

TEST(Contract, WithoutAlibiTheModelDiffers) {
  for (const char* name : kPluginNames) {
    const plugin::OwnedModel model = build(built_plugin(name), request_of(kTiny));
    const plugin::OwnedModel other = build(
        built_plugin(name), request_of(R"({"d_model": 32, "n_layers": 2, "n_heads": 2, "d_ff": 24, "alibi": false})"));
    EXPECT_FALSE(logits(*model, conformance::random_tokens(3)).equal(logits(*other, conformance::random_tokens(3))))
        << name;
  }
}

TEST(Contract, ATargetSizeIsResolvedToAShape) {
  for (const char* name : kPluginNames) {
    const plugin::Description description = built_plugin(name).describe(request_of(R"({"params": "300k"})"));
    EXPECT_FALSE(description.options.contains("params")) << name;
    EXPECT_NEAR(static_cast<double>(description.params), 300e3, 0.02 * 300e3) << name;
  }
}

TEST(Contract, ShapesThatDoNotFitAreRefusedWithTheReason) {
  for (const char* name : kPluginNames) {
    const plugin::Plugin plugin = built_plugin(name);
    const auto problem = [&](const char* options) -> std::string {
      try {
        plugin.describe(request_of(options));
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        return error.what();
      }
      return "";
    };
    EXPECT_THAT(problem(R"({"d_model": 32, "n_layers": 2, "n_heads": 5})"), HasSubstr("n_heads: expected a divisor"));
    EXPECT_THAT(problem(R"({"d_model": 32, "n_layers": 0})"),
                HasSubstr("n_layers: expected an integer from 1 to 1024"));
    EXPECT_THAT(problem(R"({"params": "1M", "alibbi": true})"), HasSubstr("did you mean 'alibi'?"));
    EXPECT_THAT(problem("{}"), HasSubstr("d_model: required"));
    EXPECT_THAT(problem("{}"), HasSubstr("plugin '" + std::string(name) + "': "));
  }
}

}  // namespace
}  // namespace bitsweep
