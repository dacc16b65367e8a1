// The probes on real models: every variant is seen, an untrained one is at chance, and an induction head is found where
// one has grown.
#include "train/probe.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "built_plugin.h"

namespace bitsweep {
namespace {

constexpr int64_t kSymbols = 16;

at::Generator seeded(uint64_t seed) {
  at::Generator generator = at::globalContext().defaultGenerator(at::kCPU).clone();
  generator.set_current_seed(seed);
  return generator;
}

// Windows [n, tokens + 1] of random symbols, each repeating with a period of its own, from 4 to 8.
at::Tensor periodic_windows(int64_t n, int64_t tokens, uint64_t seed) {
  at::Generator generator = seeded(seed);
  const at::Tensor symbols = at::randint(0, kSymbols, {n, tokens + 1}, generator, at::kLong);
  const at::Tensor period = at::randint(4, 9, {n, 1}, generator, at::kLong);
  return symbols.gather(1, at::arange(tokens + 1).unsqueeze(0).remainder(period));
}

at::Tensor random_windows(int64_t n, int64_t tokens) {
  return at::randint(0, kSymbols, {n, tokens + 1}, seeded(5), at::kByte);
}

train::TextProbe probe_repeated(nn::Model& model, int64_t tokens, int64_t n = 32) {
  return probe_windows(model, train::repeated_windows(random_windows(n, tokens)), nn::StepContext{}, at::kCPU,
                       train::Precision::f32);
}

double best_ipmr(const std::vector<train::LayerScores>& layers) {
  double best = 0;
  for (const train::LayerScores& layer : layers)
    for (const train::HeadScores& head : layer.heads) best = std::max(best, head.ipmr);
  return best;
}

class ProbedVariant : public testing::TestWithParam<const char*> {};

// Without positions (alibi: false) and without training, where a head looks has nothing to do with what it would have
// to match: the mean over heads, models and windows is chance within a quarter of it, and no head reaches a third.
TEST_P(ProbedVariant, UntrainedIsAtChance) {
  const plugin::Plugin plugin = built_plugin(GetParam());
  double mean = 0, chance = 0;
  constexpr int kModels = 6;
  for (int seed = 0; seed < kModels; ++seed) {
    const plugin::OwnedModel model =
        build(plugin, request_of(R"({"d_model": 32, "n_layers": 2, "n_heads": 4, "d_ff": 24, "alibi": false})"),
              static_cast<uint64_t>(seed));
    const train::TextProbe text = probe_repeated(*model, kContext);
    ASSERT_EQ(text.layers.size(), 2u);
    for (const train::LayerScores& layer : text.layers) {
      ASSERT_EQ(layer.heads.size(), 4u);
      EXPECT_GT(layer.hdr, 0.25);
      EXPECT_LE(layer.hdr, 1);
      for (const train::HeadScores& head : layer.heads) {
        EXPECT_LT(head.ipmr, 1.0 / 3);
        mean += head.ipmr / (8 * kModels);
      }
    }
    chance = text.ipmr_chance;
  }
  EXPECT_GT(chance, 0.05);
  EXPECT_LT(chance, 0.15);
  EXPECT_NEAR(mean, chance, 0.25 * chance);
}

INSTANTIATE_TEST_SUITE_P(All, ProbedVariant, testing::ValuesIn(kPluginNames),
                         [](const auto& info) { return std::string(info.param); });

// AdamW on text whose only structure is its repetition.
class InductionTrainer {
 public:
  static constexpr int64_t kSteps = 600, kBatch = 32, kTokens = 24;

  explicit InductionTrainer(nn::Model& model) : model_(model) {
    for (const nn::Parameter& parameter : model.parameters()) {
      parameters_.push_back(parameter.tensor);
      m_.push_back(at::zeros_like(parameter.tensor).detach());
      v_.push_back(at::zeros_like(parameter.tensor).detach());
    }
  }

  void run() {
    for (int64_t i = 0; i < kSteps; ++i) step(i);
  }

 private:
  void step(int64_t i) {
    const at::Tensor windows = periodic_windows(kBatch, kTokens, 100 + static_cast<uint64_t>(i));
    const nn::StepContext context{
        .training = true, .step = i, .total_steps = kSteps, .noise = seeded(static_cast<uint64_t>(i))};
    const at::Tensor logits = model_.forward(windows.narrow(1, 0, kTokens).contiguous(), context);
    at::cross_entropy_loss(logits.flatten(0, 1), windows.narrow(1, 1, kTokens).flatten()).backward();
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> gradients;
    for (const at::Tensor& parameter : parameters_) gradients.push_back(parameter.grad());
    std::vector<at::Tensor> counts(parameters_.size(), at::full({}, static_cast<double>(i + 1)));
    const double lr = 5e-3 * std::min(1.0, static_cast<double>(i + 1) / 30);
    at::_fused_adamw_(parameters_, gradients, m_, v_, {}, counts, lr, 0.9, 0.95, 0.01, 1e-8, false, false);
    for (at::Tensor& parameter : parameters_) parameter.mutable_grad() = at::Tensor();
  }

  nn::Model& model_;
  std::vector<at::Tensor> parameters_, m_, v_;
};

// Two layers are the least that softmax attention needs: one head to look one back, one to look for that (Olsson et
// al.). So it is in layer 1 that the probe must find it.
TEST(InductionHead, GrowsOnRepetitionsAndIsFound) {
  constexpr int64_t kTokens = InductionTrainer::kTokens;
  const plugin::OwnedModel model =
      build(built_plugin("llama"),
            request_of(R"({"d_model": 64, "n_layers": 2, "n_heads": 8, "d_ff": 64})", kVocab, kTokens));
  const train::TextProbe before = probe_repeated(*model, kTokens);
  InductionTrainer(*model).run();
  const train::TextProbe after = probe_repeated(*model, kTokens);
  EXPECT_LT(best_ipmr(before.layers), 0.3);
  EXPECT_NEAR(after.ipmr_chance, 0.11, 0.02);
  EXPECT_GT(best_ipmr({after.layers[1]}), 4 * after.ipmr_chance);
  EXPECT_LT(best_ipmr({after.layers[0]}), 0.5 * best_ipmr({after.layers[1]}));
  EXPECT_LT(after.in_context_bits, before.in_context_bits - 0.5);
}

TEST(RepeatedWindows, RepeatARandomHalfOfSymbolsThatOccur) {
  const at::Tensor natural = random_windows(3, 32), repeated = train::repeated_windows(natural);
  ASSERT_EQ(repeated.sizes(), natural.sizes());
  EXPECT_TRUE(repeated.narrow(1, 0, 16).equal(repeated.narrow(1, 16, 16)));
  EXPECT_LT(repeated.max().item<int64_t>(), kSymbols);
  EXPECT_FALSE(repeated.select(0, 0).equal(repeated.select(0, 1)));
  EXPECT_TRUE(repeated.equal(train::repeated_windows(natural)));  // the same for every run on a text
}

TEST(Metrics, NameEveryHeadAndAreFinite) {
  const plugin::OwnedModel model = build(built_plugin("v76"), request_of(kTiny));
  train::Probe probe;
  probe.natural =
      probe_windows(*model, random_windows(1, kContext), nn::StepContext{}, at::kCPU, train::Precision::f32);
  probe.repeated = probe_repeated(*model, kContext, 2);
  std::set<std::string> names;
  for (const nn::Metric& metric : metrics_of(probe)) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_TRUE(std::isfinite(metric.value)) << metric.name;
  }
  for (const char* name :
       {"probe_windows", "ipmr_chance", "ipmr.L1H1", "induction.L0H1", "hdr", "hdr.L1", "ipmr_queries",
        "specialist_heads", "in_context_bits", "repeat_ipmr.L1H0", "repeat_agreement.L1H1", "repeat_locked_heads"})
    EXPECT_TRUE(names.contains(name)) << name;
  EXPECT_FALSE(names.contains("agreement.L0H0"));  // one window agrees with nobody
  const json::object sidecar = pointer_health_json(probe, "abc", 7);
  EXPECT_EQ(sidecar.at("repeated").at("ipmr").as_array().size(), 2u);
  EXPECT_TRUE(sidecar.at("natural").at("agreement").at(0).at(0).is_null());
}

}  // namespace
}  // namespace bitsweep
