// What sets the variants of a family apart, and what must not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "plugins/built_plugin.h"

namespace bitsweep {
namespace {

using testing::HasSubstr;

std::string tiny_with(const std::string& more) { return kTiny.substr(0, kTiny.size() - 1) + ", " + more + "}"; }

at::Tensor tokens() {
  at::Generator generator = at::globalContext().defaultGenerator(at::kCPU).clone();
  generator.set_current_seed(5);
  return at::empty({3, kContext}, at::kLong).random_(0, kVocab, generator);
}

nn::StepContext training(int64_t step, int64_t total_steps) {
  at::Generator noise = at::globalContext().defaultGenerator(at::kCPU).clone();
  noise.set_current_seed(9);
  return nn::StepContext{.training = true, .step = step, .total_steps = total_steps, .noise = noise};
}

at::Tensor logits(const std::string& plugin, const std::string& options, const nn::StepContext& context = {}) {
  const at::NoGradGuard no_grad;
  const plugin::OwnedModel model = build(built_plugin(plugin), request_of(options));
  return model->forward(tokens(), context);
}

TEST(Variants, TheStackAloneIsV75) {
  EXPECT_TRUE(logits("v47b", kTiny).equal(logits("v75", kTiny)));
  const std::string neither = tiny_with(R"("attention": "gumbel", "kshift_layers": [])");
  EXPECT_TRUE(logits("v76", neither).equal(logits("v75", kTiny)));
  EXPECT_TRUE(logits("v76", neither, training(3, 10)).equal(logits("v75", kTiny, training(3, 10))));
}

TEST(Variants, V76WithoutRhoEndsAsTheHardPointer) {
  const std::string no_shift = tiny_with(R"("kshift_layers": [], "rho_end": 0)");
  EXPECT_TRUE(logits("v76", no_shift, training(9, 10)).equal(logits("v75", kTiny, training(9, 10))));
  EXPECT_TRUE(logits("v76", no_shift).equal(logits("v75", kTiny)));
  EXPECT_FALSE(logits("v76", no_shift, training(3, 10)).equal(logits("v75", kTiny, training(3, 10))));
}

TEST(Variants, V76StaysSoftUnlessItsSpecSaysOtherwise) {
  const std::string soft = tiny_with(R"("kshift_layers": [])");
  EXPECT_FALSE(logits("v76", soft).equal(logits("v75", kTiny)));
  const auto rho_end = [](const std::string& options) {
    return built_plugin("v76").describe(request_of(options)).options.at("rho_end").to_number<double>();
  };
  EXPECT_EQ(rho_end(kTiny), 0.4);
  EXPECT_EQ(rho_end(tiny_with(R"("rho_end": 0)")), 0);  // as specs of earlier runs have it
}

TEST(Variants, EachChangeOfV76ChangesTheModel) {
  const at::Tensor base = logits("v76", kTiny, training(3, 10));
  for (const char* option :
       {R"("rwsp_k": 2)", R"("rho_schedule": "cosine")", R"("rho_end": 0.5)", R"("kshift_layers": [])",
        R"("kshift_layers": [0, 1])", R"("kshift_layers": [1])", R"("kshift_offset": 2)", R"("attention": "gumbel")",
        R"("bonsai": true)", R"("alibi": false)"}) {
    EXPECT_FALSE(logits("v76", tiny_with(option), training(3, 10)).equal(base)) << option;
  }
}

TEST(Variants, BonsaiEndsWithOneBit) {
  const std::string bonsai = tiny_with(R"("bonsai": true, "anneal_end_frac": 0.5)");
  EXPECT_FALSE(logits("v76", bonsai, training(4, 11)).equal(logits("v76", kTiny, training(4, 11))));
  EXPECT_TRUE(logits("v76", bonsai, training(5, 11)).equal(logits("v76", kTiny, training(5, 11))));
  EXPECT_TRUE(logits("v76", bonsai).equal(logits("v76", kTiny)));
}

TEST(Variants, ALearnedScaleIsCountedAndStartsAsTheMean) {
  for (const char* name : {"v47b", "v52", "v76"}) {
    const std::string learned = tiny_with(R"("alpha": "learned")");
    EXPECT_TRUE(at::allclose(logits(name, learned), logits(name, kTiny), 1e-5, 1e-5)) << name;
    const plugin::Plugin plugin = built_plugin(name);
    const plugin::Description description = plugin.describe(request_of(learned));
    EXPECT_EQ(description.params - plugin.describe(request_of(kTiny)).params, 2 * (5 * 32 + 2 * 24));
    int64_t built = 0;
    const plugin::OwnedModel model = build(plugin, request_of(learned));
    for (const nn::Parameter& parameter : model->parameters()) built += parameter.tensor.numel();
    EXPECT_EQ(built, description.params + description.params_extra);
  }
}

TEST(Variants, StrictModelsMayTakeMoreKeysThanOne) {
  const at::Tensor pointer = logits("v57", kTiny, training(3, 10));
  EXPECT_FALSE(logits("v57", tiny_with(R"("attention": "topk")"), training(3, 10)).equal(pointer));
  EXPECT_FALSE(logits("v57", tiny_with(R"("attention": "rwsp")"), training(3, 10)).equal(pointer));
  EXPECT_TRUE(logits("v57", tiny_with(R"("attention": "rwsp")")).equal(logits("v57", kTiny)));
}

class Options : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(Options, StayCausal) {
  const auto& [name, option] = GetParam();
  const plugin::OwnedModel model = build(built_plugin(name), request_of(tiny_with(option)));
  const at::NoGradGuard no_grad;
  at::Tensor changed = tokens();
  changed.select(1, 20).add_(1).remainder_(kVocab);
  for (const bool trains : {false, true}) {
    const auto at_step = [&] { return trains ? training(3, 10) : nn::StepContext{}; };
    const at::Tensor before = model->forward(tokens(), at_step()), after = model->forward(changed, at_step());
    EXPECT_TRUE(after.narrow(1, 0, 20).equal(before.narrow(1, 0, 20)));
    EXPECT_FALSE(after.equal(before));
  }
}

TEST_P(Options, TrainEveryParameter) {
  const auto& [name, option] = GetParam();
  const plugin::OwnedModel model = build(built_plugin(name), request_of(tiny_with(option)));
  TinyTrainer trainer(*model, 10, 1e-3);
  trainer.loss_of(trainer.windows(training(0, 10).noise), training(3, 10)).backward();
  for (const nn::Parameter& parameter : model->parameters()) {
    ASSERT_TRUE(parameter.tensor.grad().defined()) << parameter.name;
    EXPECT_TRUE(parameter.tensor.grad().isfinite().all().item<bool>()) << parameter.name;
    EXPECT_GT(parameter.tensor.grad().abs().sum().item<double>(), 0) << parameter.name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Options,
    testing::Values(std::pair{"v57", R"("attention": "topk")"}, std::pair{"v57", R"("attention": "rwsp", "rwsp_k": 8)"},
                    std::pair{"v47b", R"("alpha": "learned")"}, std::pair{"v52", R"("alpha": "learned")"},
                    std::pair{"v76", R"("bonsai": true)"}, std::pair{"v76", R"("kshift_layers": [0, 1])"},
                    std::pair{"v76", R"("kshift_offset": 2, "rho_end": 0.5, "rho_schedule": "geometric")"}));

struct Bad {
  const char* plugin;
  const char* option;
  const char* says;
};

class BadOptions : public testing::TestWithParam<Bad> {};

TEST_P(BadOptions, AreRefusedWithTheirRange) {
  try {
    built_plugin(GetParam().plugin).describe(request_of(tiny_with(GetParam().option)));
    FAIL() << GetParam().option;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().says));
    EXPECT_THAT(error.what(), HasSubstr("plugin '" + std::string(GetParam().plugin) + "': "));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, BadOptions,
    testing::Values(Bad{"v76", R"("kshift_layers": [2])", "kshift_layers: expected layers from 0 to 1 (n_layers is 2)"},
                    Bad{"v76", R"("kshift_layers": [-1])", "kshift_layers: expected a list of integers from 0 to 1023"},
                    Bad{"v76", R"("kshift_layers": [1, 0])", "ascending"},
                    Bad{"v76", R"("kshift_layers": [0, 0])", "ascending"},
                    Bad{"v76", R"("kshift_layers": 0)", "expected a list of integers"},
                    Bad{"v76", R"("kshift_offset": 0)", "kshift_offset: expected an integer from 1 to 65536"},
                    Bad{"v76", R"("kshift_offset": 32)", "from 1 to below the context (32), got 32"},
                    Bad{"v76", R"("rwsp_k": 40)", "rwsp_k: expected an integer from 2 to the context (32), got 40"},
                    Bad{"v76", R"("rho_start": 2)", "rho_start: expected a number from 0.001 to 1"},
                    Bad{"v76", R"("rho_schedule": "geometric", "rho_end": 0)",
                        "geometric needs rho_start and rho_end above 0"},
                    Bad{"v76", R"("anneal_end_frac": 0)", "anneal_end_frac: expected a number from 0.01 to 1"},
                    Bad{"v76", R"("bonsai": 1)", "bonsai: expected true or false"},
                    Bad{"v76", R"("attention": "topk")", "attention: expected one of rwsp, gumbel"},
                    Bad{"v76", R"("tau_end": 0)", "tau_end: expected a number from 0.001 to 100"},
                    Bad{"v57", R"("attention": "topk", "topk_k": 33)", "topk_k: expected an integer from 2 to the"},
                    Bad{"v47b", R"("alpha": "men")", "did you mean 'mean'?"},
                    Bad{"v75", R"("rwsp_k": 4)", "unknown option 'rwsp_k'"},
                    Bad{"v52", R"("tau_start": 1)", "unknown option 'tau_start'"},
                    Bad{"b158", R"("alpha": "mean")", "unknown option 'alpha'"},
                    Bad{"bitnet", R"("d_ff": 0)", "d_ff: expected an integer from 1"}));

TEST(StoredBits, AreTheMeanOverTheMatrices) {
  const double linears = 2 * (4.0 * 32 * 32 + 3.0 * 32 * 24), ends = 2.0 * kVocab * 32;
  const auto bits = [&](const char* name) {
    return built_plugin(name).describe(request_of(kTiny)).stored_bits_per_weight;
  };
  for (const char* name : {"v47b", "v52", "v57", "v75", "v76"}) EXPECT_EQ(bits(name), 1) << name;
  EXPECT_EQ(bits("llama"), 16);
  EXPECT_DOUBLE_EQ(bits("bitnet"), (16 * ends + linears) / (ends + linears));
  EXPECT_DOUBLE_EQ(bits("b158"), (16 * ends + std::log2(3.0) * linears) / (ends + linears));
}

TEST(ForwardFlops, OfTopKeysCountTheValuesTheyWeigh) {
  const auto flops = [&](const char* name, const std::string& options) {
    return built_plugin(name).describe(request_of(options)).flops_forward_per_token;
  };
  // The first queries have fewer keys than K: 1, 2, … K − 1.
  const auto weighed = [](double keys) { return keys - keys * (keys - 1) / 2 / kContext; };
  const double pointer = flops("v75", kTiny);
  EXPECT_DOUBLE_EQ(flops("v76", kTiny), pointer + 2 * 2.0 * 32 * weighed(4));
  EXPECT_DOUBLE_EQ(flops("v76", tiny_with(R"("rwsp_k": 8)")), pointer + 2 * 2.0 * 32 * weighed(8));
  EXPECT_DOUBLE_EQ(flops("v52", kTiny), pointer + 2 * 2.0 * 32 * kContext);
  EXPECT_DOUBLE_EQ(flops("v52", kTiny), flops("b158", kTiny));
}

TEST(BackwardFlops, AreTwiceThoseForwardForSoftmaxAlone) {
  const auto ratio = [&](const char* name) {
    const plugin::Description said = built_plugin(name).describe(request_of(kTiny));
    return *said.flops_backward_per_token / said.flops_forward_per_token;
  };
  for (const char* name : {"llama", "b158", "bitnet", "v52"}) EXPECT_DOUBLE_EQ(ratio(name), 2) << name;
  for (const char* name : {"v57", "truebit", "v47b", "v75"}) EXPECT_GT(ratio(name), 2) << name;
  EXPECT_LT(ratio("v76"), 2);
}

}  // namespace
}  // namespace bitsweep
