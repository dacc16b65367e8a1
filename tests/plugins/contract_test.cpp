// What every plugin owes the trainer, run over all of them.
#include <algorithm>
#include <set>

#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "plugin/manifest.h"
#include "plugins/built_plugin.h"

namespace bitsweep {
namespace {

using testing::HasSubstr;

class PluginContract : public testing::TestWithParam<const char*> {
 protected:
  Plugin plugin_ = built_plugin(GetParam());
  OwnedModel model_ = build(plugin_, request_of(kTiny));

  at::Tensor tokens(int64_t batch = 3) const {
    at::Generator generator = at::globalContext().defaultGenerator(at::kCPU).clone();
    generator.set_current_seed(5);
    return at::empty({batch, kContext}, at::kLong).random_(0, kVocab, generator);
  }
  at::Tensor logits(Model& model, const at::Tensor& tokens) const {
    const at::NoGradGuard no_grad;
    return model.forward(tokens, StepContext{});
  }
  StepContext training(uint64_t seed, int64_t step = 0) const {
    at::Generator noise = at::globalContext().defaultGenerator(at::kCPU).clone();
    noise.set_current_seed(seed);
    return StepContext{.training = true, .step = step, .total_steps = 10, .noise = noise};
  }
};

TEST_P(PluginContract, DescriptionCountsWhatIsBuilt) {
  for (const char* options :
       {kTiny.c_str(), R"({"d_model": 40, "n_layers": 1, "n_heads": 5, "d_ff": 100})", R"({"params": "100k"})"}) {
    const DescribeRequest request = request_of(options, 70);
    const Description description = plugin_.describe(request);
    const OwnedModel model = build(plugin_, request);
    int64_t built = 0, ends = 0;
    for (const Parameter& parameter : model->parameters()) {
      built += parameter.tensor.numel();
      if (parameter.name == "embedding.weight" || parameter.name == "head.weight") ends += parameter.tensor.numel();
    }
    for (const BitMatrix& matrix : model->bit_matrices()) {
      built += matrix.rows * matrix.columns;
      if (matrix.name == "embedding.weight" || matrix.name == "head.weight") ends += matrix.rows * matrix.columns;
    }
    EXPECT_EQ(built, description.params + description.params_extra) << options;
    EXPECT_EQ(ends, description.params_embedding) << options;
  }
}

TEST_P(PluginContract, DescribingItsOwnAnswerChangesNothing) {
  DescribeRequest request = request_of(R"({"params": "300k"})");
  const Description first = plugin_.describe(request);
  EXPECT_FALSE(first.options.contains("params"));
  request.options = first.options;
  EXPECT_EQ(canonical_json(to_json(plugin_.describe(request))), canonical_json(to_json(first)));
}

TEST_P(PluginContract, TheManifestNamesTheSameOptionsAndDefaults) {
  const Manifest manifest = read_manifest(plugin_folder() / GetParam() / "plugin.yaml");
  EXPECT_EQ(manifest.name, plugin_.name());
  const json::object options = plugin_.describe(request_of(kTiny)).options;
  std::set<std::string> described, listed;
  for (const auto& member : options) described.insert(std::string(member.key()));
  for (const OptionSpec& option : manifest.options) {
    listed.insert(option.name);
    if (option.default_value && options.contains(option.name)) {
      EXPECT_EQ(canonical_json(options.at(option.name)), canonical_json(*option.default_value)) << option.name;
    }
    if (!options.contains(option.name)) continue;
    EXPECT_EQ(option_problem(option, options.at(option.name)), "") << option.name;
  }
  EXPECT_TRUE(std::includes(listed.begin(), listed.end(), described.begin(), described.end()));
  // What the description leaves out is an option that others leave without effect: known, and checked.
  for (const OptionSpec& option : manifest.options) {
    if (described.contains(option.name)) continue;
    DescribeRequest request = request_of(kTiny);
    ASSERT_TRUE(option.default_value) << option.name;
    request.options[option.name] = *option.default_value;
    EXPECT_EQ(canonical_json(plugin_.describe(request).options), canonical_json(options)) << option.name;
    request.options[option.name] = json::array{json::object{}};
    EXPECT_THROW(plugin_.describe(request), Error) << option.name;
  }
}

TEST_P(PluginContract, NamesAreUniqueAndTensorsAreF32Leaves) {
  std::set<std::string> names;
  for (const Parameter& parameter : model_->parameters()) {
    EXPECT_TRUE(names.insert(parameter.name).second) << parameter.name;
    EXPECT_TRUE(parameter.tensor.is_leaf() && parameter.tensor.requires_grad()) << parameter.name;
    EXPECT_EQ(parameter.tensor.scalar_type(), at::kFloat);
    EXPECT_TRUE(parameter.tensor.is_contiguous());
    EXPECT_EQ(parameter.decay, parameter.tensor.dim() == 2) << parameter.name;
  }
}

TEST_P(PluginContract, LogitsAreFiniteF32OfTheVocabulary) {
  const at::Tensor y = logits(*model_, tokens());
  EXPECT_EQ(y.sizes(), (at::IntArrayRef{3, kContext, kVocab}));
  EXPECT_EQ(y.scalar_type(), at::kFloat);
  EXPECT_TRUE(y.isfinite().all().item<bool>());
}

TEST_P(PluginContract, SameSeedSameLogitsAnotherSeedOthers) {
  const OwnedModel twin = build(plugin_, request_of(kTiny)), other = build(plugin_, request_of(kTiny), 1);
  const at::Tensor y = logits(*model_, tokens());
  EXPECT_TRUE(y.equal(logits(*twin, tokens())));
  EXPECT_FALSE(y.equal(logits(*other, tokens())));
}

TEST_P(PluginContract, EvaluationIsDeterministic) {
  const at::Tensor y = logits(*model_, tokens());
  (void)model_->forward(tokens(), training(1));
  EXPECT_TRUE(y.equal(logits(*model_, tokens())));
}

TEST_P(PluginContract, EvaluationDoesNotDependOnTheBatch) {
  // Sums of ±1 are exact. The others' products may round by the batch's size, and where a sum next to 0 is signed, or a
  // norm's output next to a half is rounded to 8 bits, that changes a bit, hence a few positions.
  const std::string name = GetParam();
  const double tolerance = name == "v57" || name == "truebit" ? 0 : 1e-4;
  const bool rounds = std::set<std::string>{"v47b", "v75", "v76", "bitnet", "b158"}.contains(name);
  const at::Tensor all = logits(*model_, tokens(6));
  std::vector<at::Tensor> ones;
  for (int64_t b = 0; b < 6; ++b) ones.push_back(logits(*model_, tokens(6).narrow(0, b, 1)));
  const at::Tensor near = at::isclose(at::cat(ones), all, tolerance, tolerance).all(2).to(at::kFloat);  // [B, T]
  EXPECT_GE(near.mean().item<double>(), rounds ? 0.8 : 1.0);
}

TEST_P(PluginContract, EvaluationIsCausalBitForBit) {
  const at::Tensor before = logits(*model_, tokens());
  for (const int64_t t : {int64_t{1}, int64_t{13}, kContext - 1}) {
    at::Tensor changed = tokens();
    changed.select(1, t).add_(1).remainder_(kVocab);
    const at::Tensor after = logits(*model_, changed);
    EXPECT_TRUE(after.narrow(1, 0, t).equal(before.narrow(1, 0, t))) << t;
    EXPECT_FALSE(after.narrow(1, t, 1).equal(before.narrow(1, t, 1))) << t;
  }
}

TEST_P(PluginContract, TrainingIsCausalUnderTheSameNoise) {
  const at::Tensor before = model_->forward(tokens(), training(4)).detach();
  at::Tensor changed = tokens();
  changed.select(1, 20).add_(1).remainder_(kVocab);
  const at::Tensor after = model_->forward(changed, training(4)).detach();
  EXPECT_TRUE(after.narrow(1, 0, 20).equal(before.narrow(1, 0, 20)));
}

TEST_P(PluginContract, AContextShorterThanTheDeclaredOneWorks) {
  const at::Tensor whole = logits(*model_, tokens());
  const at::Tensor part = logits(*model_, tokens().narrow(1, 0, 9).contiguous());
  EXPECT_TRUE(at::allclose(part, whole.narrow(1, 0, 9), 1e-4, 1e-4));
}

TEST_P(PluginContract, EveryParameterMovesInTheFirstSteps) {
  std::vector<at::Tensor> before;
  for (const Parameter& parameter : model_->parameters()) before.push_back(parameter.tensor.detach().clone());
  TinyTrainer trainer(*model_, 10, 1e-3);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(std::isfinite(trainer.step()));
  for (size_t i = 0; i < before.size(); ++i) {
    const Parameter& parameter = model_->parameters()[i];
    EXPECT_TRUE(parameter.tensor.isfinite().all().item<bool>()) << parameter.name;
    EXPECT_FALSE(parameter.tensor.equal(before[i])) << parameter.name;
  }
}

TEST_P(PluginContract, GradientsAreFiniteAndReachEveryParameter) {
  TinyTrainer trainer(*model_, 10, 1e-3);
  trainer.loss_of(trainer.windows(training(2).noise), training(3)).backward();
  for (const Parameter& parameter : model_->parameters()) {
    ASSERT_TRUE(parameter.tensor.grad().defined()) << parameter.name;
    EXPECT_TRUE(parameter.tensor.grad().isfinite().all().item<bool>()) << parameter.name;
    EXPECT_GT(parameter.tensor.grad().abs().sum().item<double>(), 0) << parameter.name;
  }
}

TEST_P(PluginContract, Bf16AutocastTrainsTheF32Masters) {
  TinyTrainer trainer(*model_, 10, 1e-3);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const at::Tensor loss = trainer.loss_of(trainer.windows(training(2).noise), training(3));
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCPU, false);
  loss.backward();
  const double f32 = trainer.loss_of(trainer.windows(training(2).noise), training(3)).item<double>();
  EXPECT_NEAR(loss.item<double>(), f32, 0.05 * f32);
  for (const Parameter& parameter : model_->parameters()) {
    EXPECT_EQ(parameter.tensor.grad().scalar_type(), at::kFloat) << parameter.name;
    EXPECT_TRUE(parameter.tensor.grad().isfinite().all().item<bool>()) << parameter.name;
  }
}

TEST_P(PluginContract, WithoutAlibiTheModelDiffers) {
  const OwnedModel other =
      build(plugin_, request_of(R"({"d_model": 32, "n_layers": 2, "n_heads": 2, "d_ff": 24, "alibi": false})"));
  EXPECT_FALSE(logits(*model_, tokens()).equal(logits(*other, tokens())));
}

TEST_P(PluginContract, BadOptionsAreNamedWithTheirRange) {
  const auto problem = [&](const char* options) -> std::string {
    try {
      plugin_.describe(request_of(options));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(problem(R"({"d_model": 32, "n_layers": 2, "n_heads": 5})"), HasSubstr("n_heads: expected a divisor"));
  EXPECT_THAT(problem(R"({"d_model": 32, "n_layers": 0})"), HasSubstr("n_layers: expected an integer from 1 to 1024"));
  EXPECT_THAT(problem(R"({"params": "1M", "alibbi": true})"), HasSubstr("did you mean 'alibi'?"));
  EXPECT_THAT(problem("{}"), HasSubstr("d_model: required"));
  EXPECT_THAT(problem(R"({"d_model": 32, "n_layers": 0})"), HasSubstr(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Plugins, PluginContract, testing::ValuesIn(kPluginNames),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace bitsweep
