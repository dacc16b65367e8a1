// The variants with a large vocabulary: head and loss in parts give what all logits at once give.
#include <gtest/gtest.h>

#include "built_plugin.h"
#include "nn/head_rows.h"
#include "nn/kernel_for.h"
#include "train/gradients.h"
#include "train/token_loss.h"

namespace bitsweep {
namespace {

constexpr int64_t kLarge = 32'000, kBatch = 2, kTokens = 270;  // 540 rows in three parts

struct PartedCase {
  const char* plugin;
  train::Precision precision;
};

class PartedHeads : public testing::TestWithParam<PartedCase> {
 protected:
  PartedHeads() : model_(build(built_plugin(GetParam().plugin), request_of(kTiny, kLarge, kTokens))) {
    seeded_.set_current_seed(5);
    const at::NoGradGuard no_grad;
    for (const nn::Parameter& parameter : model_->parameters())  // no sum is 0 but for rounding, which has any sign
      if (parameter.tensor.dim() == 1) parameter.tensor.add_(at::empty_like(parameter.tensor).normal_(0, 0.3, seeded_));
    batch_ = {.inputs = at::empty({kBatch, kTokens}, at::kLong).random_(0, kLarge, seeded_),
              .targets = at::empty({kBatch * kTokens}, at::kLong).random_(0, kLarge, seeded_)};
  }

  nn::StepContext context() const {
    nn::StepContext context{.training = true, .step = 3, .total_steps = 10, .noise = seeded_.clone()};
    context.noise.set_current_seed(7);
    return context;
  }

  // Of every parameter and bit matrix.
  std::vector<at::Tensor> take_gradients() {
    std::vector<at::Tensor> gradients;
    for (const nn::Parameter& parameter : model_->parameters()) gradients.push_back(parameter.tensor.grad());
    for (const nn::BitMatrix& matrix : model_->bit_matrices()) {
      gradients.push_back(matrix.port.grad());
      matrix.port.mutable_grad().reset();
    }
    train::drop_gradients(model_->parameters());
    return gradients;
  }

  // A table of its own: an engine would compute (engine_test.cpp), and these are the blocks' parts.
  const kernels::KernelTable loops_ = kernels::built_in_kernels();
  const nn::WithKernels with_{loops_};
  at::Generator seeded_ = at::globalContext().defaultGenerator(at::kCPU).clone();
  plugin::OwnedModel model_;
  train::TokenBatch batch_;
};

TEST_P(PartedHeads, GiveTheLossAndEveryGradient) {
  ASSERT_EQ(model_->head_vocab(), kLarge);
  ASSERT_LT(nn::head_rows(kBatch * kTokens, kLarge), kBatch * kTokens);
  const at::Tensor whole = token_nats(*model_, batch_, context(), GetParam().precision, /*mean=*/true);
  whole.backward();
  const std::vector<at::Tensor> expected = take_gradients();
  const at::Tensor parted = loss_and_backward(*model_, batch_, context(), GetParam().precision);
  const std::vector<at::Tensor> found = take_gradients();
  const bool bf16 = GetParam().precision == train::Precision::bf16;
  double largest = 0;  // some gradients are 0 but for rounding, as a sum of what softmax gives
  for (const at::Tensor& gradient : expected) largest = std::max(largest, gradient.norm().item<double>());
  EXPECT_NEAR(parted.item<double>(), whole.item<double>(), (bf16 ? 1e-4 : 1e-6) * whole.item<double>());
  for (size_t i = 0; i < expected.size(); ++i) {
    const double off = (found[i] - expected[i]).norm().item<double>(), norm = expected[i].norm().item<double>();
    EXPECT_LE(off, (bf16 ? 2e-2 : 1e-5) * norm + 1e-8 * largest) << i;
  }
}

TEST_P(PartedHeads, GiveTheScores) {
  const at::NoGradGuard no_grad;
  const at::Tensor whole =
      at::cross_entropy_loss(model_->forward(batch_.inputs, {}).flatten(0, 1), batch_.targets, {}, at::Reduction::None);
  const at::Tensor parted = token_nats(*model_, batch_, {}, train::Precision::f32, /*mean=*/false);
  EXPECT_TRUE(at::allclose(parted, whole, 1e-5, 1e-5));
}

INSTANTIATE_TEST_SUITE_P(
    Plugins, PartedHeads,
    testing::Values(PartedCase{"llama", train::Precision::f32}, PartedCase{"llama", train::Precision::bf16},
                    PartedCase{"v57", train::Precision::f32}, PartedCase{"v57", train::Precision::bf16},
                    PartedCase{"v75", train::Precision::f32}, PartedCase{"truebit", train::Precision::f32},
                    PartedCase{"bitnet", train::Precision::f32}, PartedCase{"bitnet", train::Precision::bf16}));

}  // namespace
}  // namespace bitsweep
