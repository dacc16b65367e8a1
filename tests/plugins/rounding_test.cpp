// Gradients that blocks round on their way (nn/gradients.h), against those that they do not round, and against an
// engine's.
#include <gtest/gtest.h>

#include <ATen/Parallel.h>

#include <cmath>

#include "step_test.h"

namespace bitsweep {
namespace {

const std::vector<StepCase> kCases = {
    {"v52", "v52", shape(32, 2, 2, 24)},
    {"b158", "b158", shape(32, 2, 2, 24)},
    {"bitnet", "bitnet", shape(60, 1, 3, 41), 97, 37, 2},
    {"v57MixedByRank", "v57", shape(32, 2, 2, 24, R"("attention": "rwsp")")},
    {"v75Turned", "v75", shape(32, 2, 2, 24, R"("positions": "rope")")},
    {"v76Bonsai", "v76", shape(32, 2, 2, 24, R"("bonsai": true, "anneal_end_frac": 0.01)")},
    {"v57", "v57", shape(32, 2, 2, 24)},
    {"v75", "v75", shape(32, 2, 2, 24)},
    {"truebit", "truebit", shape(32, 2, 2, 24)}};

// All of them by their blocks, which a table of kernels of its own asks for.
class RoundedBlocks : public StepTest {
 protected:
  const kernels::KernelTable loops_ = kernels::built_in_kernels();
  const nn::WithKernels with_{loops_};
};

double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).norm().item<double>(); }

TEST_P(RoundedBlocks, AreNearThoseOfF32InInt16AndNotTheSame) {
  const Result exact = step();
  round(nn::Gradients::int16);
  const Result rounded = step();
  EXPECT_EQ(rounded.loss, exact.loss);
  const double largest = largest_norm(exact);
  bool differ = false;
  for (size_t i = 0; i < exact.gradients.size(); ++i) {
    const double norm = exact.gradients[i].norm().item<double>();
    differ |= !rounded.gradients[i].equal(exact.gradients[i]);
    EXPECT_LE(difference(rounded.gradients[i], exact.gradients[i]), 2e-3 * norm + 1e-6 * largest) << i;
  }
  EXPECT_TRUE(differ);
}

TEST_P(RoundedBlocks, HaveNoBiasInSixBits) {
  constexpr int64_t kSteps = 100;
  const Result exact = quiet_step(0);
  round(nn::Gradients::s6);
  const size_t count = exact.gradients.size();
  std::vector<at::Tensor> sums(count);
  std::vector<double> squares(count);
  for (int64_t i = 0; i < kSteps; ++i) {
    const Result rounded = quiet_step(i);
    for (size_t k = 0; k < count; ++k) {
      if (!exact.gradients[k].defined()) continue;  // of q and k: without noise a pointer's blocks have none
      const at::Tensor error = (rounded.gradients[k] - exact.gradients[k]).to(at::kDouble);
      sums[k] = sums[k].defined() ? sums[k] + error : error;
      squares[k] += error.square().sum().item<double>();
    }
  }
  for (size_t k = 0; k < count; ++k) {
    if (!sums[k].defined()) continue;
    const double one = std::sqrt(squares[k] / kSteps);
    EXPECT_LE((sums[k] / kSteps).norm().item<double>(), 0.3 * one + 1e-6 * largest_norm(exact)) << k;
  }
}

TEST_P(RoundedBlocks, AreTheSameBitsAgainAndOnAnyNumberOfThreads) {
  const int threads = at::get_num_threads();
  round(nn::Gradients::s6);
  at::set_num_threads(1);
  const Result one = step();
  expect_same(step(), one);
  at::set_num_threads(3);
  const Result three = step();
  at::set_num_threads(threads);
  const double largest = largest_norm(one);  // a library's own products may differ in their last bits
  for (size_t i = 0; i < one.gradients.size(); ++i)
    EXPECT_LE(difference(three.gradients[i], one.gradients[i]), 2e-2 * largest) << i;
}

INSTANTIATE_TEST_SUITE_P(Models, RoundedBlocks, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

// Both round the same matrices, each with its own noise.
TEST_P(RoundedBlocks, AreAsFarFromF32AsAnEnginesAre) {
  if (model_->engine() == nullptr) GTEST_SKIP() << "has no engine";
  const auto distance = [&] {
    round(nn::Gradients::f32);
    const Result exact = quiet_step(0);
    round(nn::Gradients::s6);
    std::vector<double> squares(exact.gradients.size());
    for (int64_t i = 0; i < 30; ++i) {
      const Result rounded = quiet_step(i);
      for (size_t k = 0; k < squares.size(); ++k)
        if (exact.gradients[k].defined())
          squares[k] += std::pow(difference(rounded.gradients[k], exact.gradients[k]), 2);
    }
    return squares;
  };
  const std::vector<double> blocks = distance();
  std::vector<double> engine;
  {
    const nn::WithKernels built_in(kernels::built_in_kernels());
    engine = distance();
  }
  double largest = 0;
  for (const double square : engine) largest = std::max(largest, square);
  for (size_t k = 0; k < engine.size(); ++k) {
    if (blocks[k] == 0) continue;  // of q and k: without noise a pointer's blocks have none
    EXPECT_NEAR(std::sqrt(blocks[k]), std::sqrt(engine[k]), 0.25 * std::sqrt(engine[k]) + 1e-3 * std::sqrt(largest))
        << k;
  }
}

}  // namespace
}  // namespace bitsweep
