// The loss of a large vocabulary, part by part, against the same loss with all logits at once.
#include "train/token_loss.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "nn/head_rows.h"
#include "tiny_model.h"
#include "tiny_run.h"
#include "train/gradients.h"
#include "train/stepper.h"

namespace bitsweep::train {
namespace {

constexpr int64_t kVocab = 40'000, kSequences = 3, kTokens = 300;  // 900 rows in five parts

// TinyModel with halves. `whole`: says that it has none.
class HalvesModel : public nn::Model {
 public:
  explicit HalvesModel(bool whole = false, int64_t vocab = kVocab) : whole_(whole) {
    seed_initial_weights(3);
    embedding_ = add_parameter("embedding.weight", at::randn({vocab, 8}));
    hidden_ = add_parameter("layers.0.weight", at::randn({8, 8}).mul_(0.3));
    head_ = add_parameter("head.weight", at::randn({vocab, 8}).mul_(0.5));
  }
  int64_t head_vocab() const override { return whole_ ? 0 : head_.size(0); }
  at::Tensor trunk(const at::Tensor& tokens, const nn::StepContext&) override {
    return at::tanh(at::linear(at::embedding(embedding_, tokens), hidden_));
  }
  at::Tensor head(const at::Tensor& hidden) override {
    most_rows = std::max(most_rows, hidden.numel() / hidden.size(-1));
    return at::linear(hidden, head_);
  }
  int64_t most_rows = 0;

 private:
  bool whole_;
  at::Tensor embedding_, hidden_, head_;
};

const nn::StepContext kTraining{.training = true, .step = 0, .total_steps = 1, .noise = {}};

TokenBatch batch_of(int64_t vocab = kVocab) {
  const at::Generator random = at::detail::createCPUGenerator(5);
  return {.inputs = at::empty({kSequences, kTokens}, at::kLong).random_(0, vocab, random),
          .targets = at::empty({kSequences * kTokens}, at::kLong).random_(0, vocab, random)};
}

TokenBatch with_ignored(TokenBatch batch) {
  batch.targets.narrow(0, 100, 450).fill_(kIgnoredTarget);
  return batch;
}

struct Trained {
  double loss = 0;
  std::vector<at::Tensor> gradients;
};

Trained trained(nn::Model& model, const TokenBatch& batch, const LossDivisor& divisor = {},
                Precision precision = Precision::f32) {
  const at::Tensor loss = loss_and_backward(model, batch, kTraining, precision, divisor);
  EXPECT_FALSE(loss.requires_grad());
  Trained out{.loss = loss.item<double>(), .gradients = {}};
  for (const nn::Parameter& parameter : model.parameters()) out.gradients.push_back(parameter.tensor.grad());
  return out;
}

void expect_near(const Trained& a, const Trained& b, double tolerance) {
  EXPECT_NEAR(a.loss, b.loss, tolerance * b.loss);
  ASSERT_EQ(a.gradients.size(), b.gradients.size());
  for (size_t i = 0; i < a.gradients.size(); ++i) {
    ASSERT_EQ(a.gradients[i].defined(), b.gradients[i].defined());
    if (!b.gradients[i].defined()) continue;
    const double off = (a.gradients[i] - b.gradients[i]).norm().item<double>();
    EXPECT_LE(off, tolerance * b.gradients[i].norm().item<double>()) << i;
  }
}

TEST(HeadRows, AreAllOfASmallVocabularyAndFewOfALargeOne) {
  EXPECT_EQ(nn::head_rows(1 << 20, 256), 1 << 20);
  EXPECT_EQ(nn::head_rows(1 << 20, 4096), 1 << 20);
  EXPECT_EQ(nn::head_rows(2048, 32'000), 256);  // 8 parts of at most 257
  EXPECT_EQ(nn::head_rows(260, 32'000), 130);
  EXPECT_EQ(nn::head_rows(100, 32'000), 100);
  EXPECT_EQ(nn::head_rows(0, 32'000), 0);
  EXPECT_EQ(nn::head_rows(100, int64_t{1} << 40), 1);
}

class Parted : public testing::TestWithParam<Precision> {};

TEST_P(Parted, IsTheLossAndTheGradientOfTheWhole) {
  HalvesModel parted, whole(true);
  const double tolerance = GetParam() == Precision::f32 ? 1e-5 : 2e-2;
  for (const TokenBatch& batch : {batch_of(), with_ignored(batch_of())})
    for (const LossDivisor& divisor :
         {LossDivisor{}, LossDivisor{.parts = 4}, LossDivisor{.parts = 4, .targets = 999}}) {
      drop_gradients(parted.parameters());
      drop_gradients(whole.parameters());
      expect_near(trained(parted, batch, divisor, GetParam()), trained(whole, batch, divisor, GetParam()), tolerance);
    }
  EXPECT_EQ(parted.most_rows, 180);
  EXPECT_EQ(whole.most_rows, 900);
}

INSTANTIATE_TEST_SUITE_P(Precisions, Parted, testing::Values(Precision::f32, Precision::bf16));

TEST(Parted, SkipsWhatIsFrozen) {
  for (const size_t frozen : {size_t{0}, size_t{2}}) {
    HalvesModel parted, whole(true);
    for (nn::Model* model : {static_cast<nn::Model*>(&parted), static_cast<nn::Model*>(&whole)})
      for (size_t i = frozen; i < frozen + (frozen == 0 ? 2 : 1); ++i) {
        at::Tensor tensor = model->parameters()[i].tensor;
        tensor.set_requires_grad(false);
      }
    expect_near(trained(parted, batch_of()), trained(whole, batch_of()), 1e-5);
  }
}

TEST(Parted, ScoresWithoutGradientsAsTheWholeDoes) {
  const at::NoGradGuard no_grad;
  HalvesModel parted, whole(true);
  const TokenBatch batch = with_ignored(batch_of());
  const TokenScores a = token_scores(parted, batch, {}, Precision::f32, /*likeliest=*/true),
                    b = token_scores(whole, batch, {}, Precision::f32, /*likeliest=*/true);
  EXPECT_TRUE(at::allclose(a.nats, b.nats, 1e-5, 1e-5));
  EXPECT_GT(a.likeliest.eq(b.likeliest).to(at::kFloat).mean().item<double>(), 0.999);
  EXPECT_EQ(a.nats.narrow(0, 100, 450).abs().sum().item<double>(), 0);
  EXPECT_TRUE(token_nats(parted, batch, {}, Precision::f32, /*mean=*/false).equal(a.nats));
  EXPECT_FALSE(token_scores(parted, batch, {}, Precision::f32, /*likeliest=*/false).likeliest.defined());
  EXPECT_EQ(parted.most_rows, 180);
}

// However the answers are spread over the micro-batches.
TEST(LossDivisor, OfAStepsTargetsGivesTheMeanOfTheStep) {
  for (const int64_t vocab : {int64_t{256}, kVocab}) {
    const TokenBatch batch = with_ignored(batch_of(vocab));
    HalvesModel once(false, vocab), parts(false, vocab);
    const Trained whole = trained(once, batch);
    Trained sum;
    for (int64_t i = 0; i < kSequences; ++i) {
      const TokenBatch part{.inputs = batch.inputs.narrow(0, i, 1),
                            .targets = batch.targets.narrow(0, i * kTokens, kTokens)};
      const double loss = sum.loss;
      sum = trained(parts, part, {.parts = kSequences, .targets = kSequences * kTokens - 450});
      sum.loss = loss + sum.loss / kSequences;
    }
    expect_near(sum, whole, 1e-5);
  }
}

TEST(LossDivisor, OfAStepWithoutTargetsIsNothingToLearn) {
  for (const int64_t vocab : {int64_t{256}, kVocab}) {
    TokenBatch batch = batch_of(vocab);
    batch.targets.fill_(kIgnoredTarget);
    HalvesModel model(false, vocab);
    const Trained none = trained(model, batch, {.parts = 2, .targets = 0});
    EXPECT_EQ(none.loss, 0);
    for (const at::Tensor& gradient : none.gradients) EXPECT_EQ(gradient.abs().sum().item<double>(), 0);
  }
}

TEST(LossDivisor, ByDefaultIsTheMeanBitForBit) {
  TinyModel ours(2), plain(2);
  const TokenBatch batch = batch_of(256);
  ours.noise = plain.noise = 0;
  const double loss = trained(ours, batch).loss;
  const at::Tensor logits = plain.forward(batch.inputs, kTraining);
  const at::Tensor expected = at::cross_entropy_loss(logits.flatten(0, 1), batch.targets);
  expected.backward();
  EXPECT_EQ(loss, expected.item<double>());
  for (size_t i = 0; i < plain.parameters().size(); ++i)
    EXPECT_TRUE(ours.parameters()[i].tensor.grad().equal(plain.parameters()[i].tensor.grad()));
}

TEST(Parted, AHeadThatReadsAnotherShapeIsTheModelsFault) {
  struct Flat : HalvesModel {
    at::Tensor trunk(const at::Tensor& tokens, const nn::StepContext& context) override {
      return HalvesModel::trunk(tokens, context).flatten(0, 1);
    }
  } model;
  try {
    loss_and_backward(model, batch_of(), {}, Precision::f32);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::failed);
    EXPECT_NE(std::string(error.what()).find("[900, 8]"), std::string::npos);
  }
}

}  // namespace
}  // namespace bitsweep::train
