// A step on bits against the same step of the blocks: losses, scores and every gradient, and that they depend on neither
// threads nor instruction set.
#include <gtest/gtest.h>

#include <ATen/Parallel.h>

#include "built_plugin.h"
#include "kernels/isa.h"
#include "nn/kernel_for.h"
#include "nn/step_engine.h"
#include "train/freeze.h"
#include "train/gradients.h"
#include "train/token_loss.h"

namespace bitsweep {
namespace {

struct EngineCase {
  const char* name;
  const char* plugin;
  std::string options;
  int64_t vocab = kVocab, context = 45, sequences = 3;
};

void PrintTo(const EngineCase& c, std::ostream* stream) { *stream << c.name; }

std::string shape(int64_t d, int64_t layers, int64_t heads, int64_t d_ff, const std::string& more = "") {
  return fmt::format(R"({{"d_model": {}, "n_layers": {}, "n_heads": {}, "d_ff": {}{}}})", d, layers, heads, d_ff,
                     more.empty() ? "" : ", " + more);
}

const std::vector<EngineCase> kCases = {
    {"v57", "v57", shape(32, 2, 2, 24)},
    {"OddSizes", "v57", shape(60, 1, 3, 41), 97, 37, 2},
    {"OneHeadOfManyWords", "v57", shape(72, 1, 1, 33), 50, 33, 1},
    {"SmallestOfAll", "v57", shape(8, 1, 8, 1), 2, 2, 1},
    {"WithoutAlibi", "v57", shape(32, 1, 2, 24, R"("alibi": false)")},
    {"IdentityGradients", "v57", shape(32, 2, 2, 24, R"("output_ste": "identity")")},
    {"Vote", "v57", shape(32, 2, 2, 24, R"("attention": "topk")")},
    {"VoteOfThree", "v57", shape(40, 1, 2, 24, R"("attention": "topk", "topk_k": 3)")},
    {"ManyRows", "v57", shape(48, 1, 2, 24), kVocab, 300, 2},
    {"LargeVocabulary", "v57", shape(32, 1, 2, 24), 5000, 64, 2},
    {"truebit", "truebit", shape(32, 2, 2, 24)},
    {"TruebitVote", "truebit", shape(60, 1, 3, 41, R"("attention": "topk")"), 97, 37, 2}};

class Engines : public testing::TestWithParam<EngineCase> {
 protected:
  Engines()
      : model_(build(built_plugin(GetParam().plugin), request_of(GetParam().options, GetParam().vocab,
                                                                 GetParam().context))) {
    seeded_.set_current_seed(5);
    const at::NoGradGuard no_grad;
    for (const nn::Parameter& parameter : model_->parameters())  // no level of a product is hit exactly
      if (parameter.tensor.dim() == 1) parameter.tensor.add_(at::empty_like(parameter.tensor).normal_(0, 0.3, seeded_));
    const auto& [name, plugin, options, vocab, context, sequences] = GetParam();
    batch_ = {.inputs = at::empty({sequences, context}, at::kLong).random_(0, vocab, seeded_),
              .targets = at::empty({sequences * context}, at::kLong).random_(0, vocab, seeded_)};
  }

  nn::StepContext context() const {
    nn::StepContext context{.training = true, .step = 3, .total_steps = 10, .noise = seeded_.clone()};
    context.noise.set_current_seed(7);
    return context;
  }

  struct Result {
    double loss = 0;
    std::vector<at::Tensor> gradients;  // of every parameter and bit matrix
  };

  Result take(double loss) {
    Result result{.loss = loss, .gradients = {}};
    for (const nn::Parameter& parameter : model_->parameters()) {
      result.gradients.push_back(parameter.tensor.grad());
    }
    for (const nn::BitMatrix& matrix : model_->bit_matrices()) {
      result.gradients.push_back(matrix.port.grad());
      matrix.port.mutable_grad().reset();
    }
    train::drop_gradients(model_->parameters());
    return result;
  }
  Result step(const train::LossDivisor& divisor = {}) {
    return take(loss_and_backward(*model_, batch_, context(), train::Precision::f32, divisor).item<double>());
  }
  Result blocks_step(const train::LossDivisor& divisor = {}) {
    const nn::WithKernels composed(kernels::no_kernels());
    return step(divisor);
  }

  static void expect_near(const Result& found, const Result& expected) {
    EXPECT_NEAR(found.loss, expected.loss, 2e-6 * expected.loss);
    ASSERT_EQ(found.gradients.size(), expected.gradients.size());
    double largest = 0;  // some gradients are 0 but for rounding, as a sum of what softmax gives
    for (const at::Tensor& gradient : expected.gradients)
      if (gradient.defined()) largest = std::max(largest, gradient.norm().item<double>());
    for (size_t i = 0; i < expected.gradients.size(); ++i) {
      ASSERT_EQ(found.gradients[i].defined(), expected.gradients[i].defined()) << i;
      if (!expected.gradients[i].defined()) continue;
      const double norm = expected.gradients[i].norm().item<double>();
      EXPECT_LE((found.gradients[i] - expected.gradients[i]).norm().item<double>(), 1e-5 * norm + 1e-6 * largest) << i;
    }
  }
  static void expect_same(const Result& found, const Result& expected) {
    EXPECT_EQ(found.loss, expected.loss);
    for (size_t i = 0; i < expected.gradients.size(); ++i)
      EXPECT_TRUE(found.gradients[i].equal(expected.gradients[i])) << i;
  }

  at::Generator seeded_ = at::globalContext().defaultGenerator(at::kCPU).clone();
  plugin::OwnedModel model_;
  train::TokenBatch batch_;
};

TEST_P(Engines, GiveTheLossAndEveryGradientOfTheBlocks) {
  ASSERT_NE(nn::engine_for(*model_, batch_.inputs, context()), nullptr);
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
  EXPECT_TRUE(at::allclose(found.nats, expected.nats, 1e-5, 1e-5));
  EXPECT_TRUE(found.likeliest.equal(expected.likeliest));
}

TEST_P(Engines, GiveTheSameBitsOnAnyNumberOfThreads) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Result one = step();
  for (const int more : {2, 3}) {
    at::set_num_threads(more);
    expect_same(step(), one);
  }
  at::set_num_threads(threads);
}

TEST_P(Engines, GiveTheSameBitsOnEveryInstructionSet) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);  // a choice of instruction set is a thread's
  const Result chosen = step();
  for (const kernels::Isa isa : kernels::available_isas()) {
    const kernels::WithIsa with(isa);
    expect_same(step(), chosen);
  }
  at::set_num_threads(threads);
}

INSTANTIATE_TEST_SUITE_P(Strict, Engines, testing::ValuesIn(kCases),
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
  const plugin::OwnedModel floats =
      build(built_plugin("v57"), request_of(shape(32, 1, 2, 24, R"("attention": "rwsp")")));
  EXPECT_EQ(nn::engine_for(*floats, inputs, {}), nullptr);
}

}  // namespace
}  // namespace bitsweep
