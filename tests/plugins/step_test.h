// One training step of a model, with everything that comes out of it, for tests that make it in several ways.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "built_plugin.h"
#include "nn/kernel_for.h"
#include "nn/step_engine.h"
#include "train/gradients.h"
#include "train/token_loss.h"

namespace bitsweep {

struct StepCase {
  const char* name;
  const char* plugin;
  std::string options;
  int64_t vocab = kVocab, context = 45, sequences = 3;

  // Of a gradient's norm. An activation of 8 bits is another number as soon as one that lies between two rounds the
  // other way.
  double tolerance() const {
    const std::string_view of = plugin;
    if (of == "b158" || of == "bitnet") return 1e-3;
    return of == "v52" || of == "llama" ? 3e-5 : 1e-5;
  }
};

inline void PrintTo(const StepCase& c, std::ostream* stream) { *stream << c.name; }

inline std::string shape(int64_t d, int64_t layers, int64_t heads, int64_t d_ff, const std::string& more = "") {
  return fmt::format(R"({{"d_model": {}, "n_layers": {}, "n_heads": {}, "d_ff": {}{}}})", d, layers, heads, d_ff,
                     more.empty() ? "" : ", " + more);
}

inline constexpr nn::Gradients kGradients[] = {nn::Gradients::f32, nn::Gradients::int16, nn::Gradients::s6};

class StepTest : public testing::TestWithParam<StepCase> {
 protected:
  StepTest()
      : model_(build(built_plugin(GetParam().plugin),
                     request_of(GetParam().options, GetParam().vocab, GetParam().context))) {
    seeded_.set_current_seed(5);
    const at::NoGradGuard no_grad;
    for (const nn::Parameter& parameter : model_->parameters())  // no level of a product is hit exactly
      if (parameter.tensor.dim() == 1) parameter.tensor.add_(at::empty_like(parameter.tensor).normal_(0, 0.3, seeded_));
    const auto& [name, plugin, options, vocab, context, sequences] = GetParam();
    batch_ = {.inputs = at::empty({sequences, context}, at::kLong).random_(0, vocab, seeded_),
              .targets = at::empty({sequences * context}, at::kLong).random_(0, vocab, seeded_)};
  }

  nn::StepContext context() const {
    nn::StepContext context{
        .training = true, .step = 3, .total_steps = 10, .noise = seeded_.clone(), .gradients = gradients_};
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
  void round(nn::Gradients gradients) { gradients_ = gradients; }
  // Without noise, and always at the same part of a run, so that the gradients depend on `at_step` by their rounding
  // alone.
  Result quiet_step(int64_t at_step) {
    const nn::StepContext context{.training = false,
                                  .step = at_step + 1,
                                  .total_steps = 1000 * (at_step + 1) + 1,
                                  .noise = {},
                                  .gradients = gradients_};
    return take(loss_and_backward(*model_, batch_, context, train::Precision::f32).item<double>());
  }
  Result blocks_step(const train::LossDivisor& divisor = {}) {
    const nn::WithKernels composed(kernels::no_kernels());
    return step(divisor);
  }

  // Some gradients are 0 but for rounding, as a sum of what softmax gives.
  static double largest_norm(const Result& result) {
    double largest = 0;
    for (const at::Tensor& gradient : result.gradients)
      if (gradient.defined()) largest = std::max(largest, gradient.norm().item<double>());
    return largest;
  }
  void expect_near(const Result& found, const Result& expected) {
    const double tolerance = GetParam().tolerance();
    EXPECT_NEAR(found.loss, expected.loss, 0.2 * tolerance * expected.loss);
    ASSERT_EQ(found.gradients.size(), expected.gradients.size());
    const double largest = largest_norm(expected);
    for (size_t i = 0; i < expected.gradients.size(); ++i) {
      ASSERT_EQ(found.gradients[i].defined(), expected.gradients[i].defined()) << i;
      if (!expected.gradients[i].defined()) continue;
      const double norm = expected.gradients[i].norm().item<double>();
      EXPECT_LE((found.gradients[i] - expected.gradients[i]).norm().item<double>(),
                tolerance * norm + 0.1 * tolerance * largest)
          << i;
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
  nn::Gradients gradients_ = nn::Gradients::f32;
};

}  // namespace bitsweep
