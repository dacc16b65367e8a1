// When bits flip: each rule against its formula, in each width; the kernels against LibTorch's operations.
#include "nn/flip_rule.h"

#include <cmath>
#include <limits>

#include <ATen/Parallel.h>

#include <gtest/gtest.h>

#include "nn/bits.h"
#include "nn/tensors.h"

namespace bitsweep::nn {
namespace {

class OneMatrix final : public Model {
 public:
  OneMatrix(int64_t rows, int64_t columns, const FlipOptions& options)
      : matrix_(ParameterSink(*this).bits("w", rows, columns)), rule(ParameterSink(*this, "w"), matrix_, options) {}
  at::Tensor forward(const at::Tensor&, const StepContext&) override { return {}; }

  at::Tensor weights() const { return unpack_signs(matrix_.bits, matrix_.columns, at::kFloat); }
  void step(const at::Tensor& gradient, double progress, at::Generator noise) {
    matrix_.port.mutable_grad() = gradient.clone();
    rule.update(progress, std::move(noise));
  }
  void step(const at::Tensor& gradient, double progress, uint64_t seed) { step(gradient, progress, generator(seed)); }
  at::Tensor buffer(const std::string& name) const {
    for (const Buffer& buffer : buffers()) {
      if (buffer.name == name) return buffer.tensor;
    }
    return {};
  }

 private:
  BitMatrix matrix_;

 public:
  FlipRule rule;
};

FlipOptions options_of(FlipKind kind, int64_t bits, FlipNorm norm = FlipNorm::factored) {
  FlipOptions options;
  options.kind = kind;
  options.state_bits = bits;
  options.norm = norm;
  return options;
}

// Bop on one weight at a time, in double.
TEST(FlipRule, BopFollowsItsFormula) {
  FlipOptions options = options_of(FlipKind::bop, 32, FlipNorm::none);
  options.gamma = 0.1;
  options.z_start = 1.0;
  options.z_end = 2.0;
  OneMatrix model(6, 70, options);
  at::Tensor w = model.weights().to(at::kDouble), m = at::zeros({6, 70}, at::kDouble);
  for (int step = 0; step < 60; ++step) {
    const double progress = step / 59.0;
    const at::Tensor g = normal({6, 70}, static_cast<uint64_t>(step));
    m = 0.9 * m + 0.1 * g.to(at::kDouble);
    const at::Tensor flips = (m * w).gt((1.0 + progress) * std::sqrt(0.05));
    w = at::where(flips, -w, w);
    m = m.masked_fill(flips, 0.0);
    model.step(g, progress, 1);
    ASSERT_TRUE(same(model.weights(), w.to(at::kFloat))) << step;
  }
  EXPECT_TRUE(near(model.buffer("w.counter"), m, 1e-5));
}

TEST(FlipRule, TheFactoredNormIsTheRmsOfRowsTimesColumns) {
  FlipOptions options = options_of(FlipKind::bop, 32);
  options.gamma = 1.0;  // the counter is then the normalised gradient itself
  options.z_start = options.z_end = 100;
  OneMatrix model(8, 40, options);
  const at::Tensor scale = at::rand({8, 1}) * at::rand({1, 40}) + 0.01;
  model.step(normal({8, 40}, 1) * scale, 0, 1);
  const at::Tensor g = normal({8, 40}, 2) * scale;
  model.step(g, 0, 2);
  const at::Tensor first = (normal({8, 40}, 1) * scale).square(), second = g.square();
  const double unbiased = 1 - 0.99 * 0.99;
  const at::Tensor rows = (0.99 * 0.01 * first.mean(1) + 0.01 * second.mean(1)) / unbiased;
  const at::Tensor columns = (0.99 * 0.01 * first.mean(0) + 0.01 * second.mean(0)) / unbiased;
  const at::Tensor rms = (rows.unsqueeze(1) * columns / rows.mean()).sqrt();
  EXPECT_TRUE(near(model.buffer("w.counter"), g / rms, 1e-4));
}

using RuleCase = std::tuple<FlipKind, int64_t, Path>;

class EveryRule : public testing::TestWithParam<RuleCase> {
 protected:
  FlipOptions options_ = options_of(std::get<0>(GetParam()), std::get<1>(GetParam()));

 private:
  ForcePath path_{std::get<2>(GetParam())};
};

TEST_P(EveryRule, AGradientAgainstAWeightFlipsItAndOneForItDoesNot) {
  OneMatrix model(9, 33, options_);
  const at::Tensor target = signs({9, 33}, 7);
  for (int step = 0; step < 400; ++step) {
    // Loss falls towards `target`; a little noise, as training has it.
    model.step(-target + 0.3 * normal({9, 33}, static_cast<uint64_t>(100 + step)), 0.0, static_cast<uint64_t>(step));
  }
  EXPECT_GE(model.weights().eq(target).to(at::kFloat).mean().item<double>(), 0.98);
}

TEST_P(EveryRule, ZeroGradientFlipsNothing) {
  OneMatrix model(5, 20, options_);
  const at::Tensor before = model.weights();
  for (int step = 0; step < 20; ++step) model.step(at::zeros({5, 20}), 0.5, static_cast<uint64_t>(step));
  EXPECT_TRUE(same(model.weights(), before));
  EXPECT_EQ(model.rule.take_flip_fraction(), 0.0);
}

TEST_P(EveryRule, TheSameNoiseGivesTheSameBits) {
  const auto run = [&](uint64_t noise) {
    at::Generator(at::globalContext().defaultGenerator(at::kCPU)).set_current_seed(3);
    OneMatrix model(7, 50, options_);
    for (uint64_t step = 0; step < 40; ++step) model.step(normal({7, 50}, step), 0.0, noise + step);
    return model.buffer("w.counter").to(at::kFloat);
  };
  EXPECT_TRUE(same(run(1), run(1)));
  const bool rounds = options_.state_bits < 32 || options_.kind == FlipKind::counter;
  EXPECT_EQ(run(1).equal(run(500)), !rounds);
}

TEST_P(EveryRule, BytesAreThoseOfTheBuffers) {
  const OneMatrix model(9, 33, options_);
  int64_t bits = 0, state = 0;
  for (const Buffer& buffer : model.buffers())
    (buffer.weight ? bits : state) += static_cast<int64_t>(buffer.tensor.nbytes());
  const FlipBytes bytes = flip_bytes(options_, 9, 33);
  EXPECT_EQ(bytes.bits, bits);
  EXPECT_EQ(bytes.state, state);
}

TEST_P(EveryRule, FlipsAreCounted) {
  OneMatrix model(9, 33, options_);
  double flips = 0;
  for (uint64_t step = 0; step < 30; ++step) {
    const at::Tensor before = model.weights();
    model.step(normal({9, 33}, step) + 0.5, 0.0, step);
    flips += model.weights().ne(before).sum().item<double>();
  }
  EXPECT_NEAR(model.rule.take_flip_fraction(), flips / 30 / (9 * 33), 1e-12);
  EXPECT_EQ(model.rule.take_flip_fraction(), 0.0);
}

std::string rule_name(const testing::TestParamInfo<RuleCase>& info) {
  const char* names[] = {"bop", "counter", "bold", "diode", "dqt"};
  return std::string(names[static_cast<int>(std::get<0>(info.param))]) + std::to_string(std::get<1>(info.param)) +
         (std::get<2>(info.param) == Path::reference ? "Composed" : "Kernels");
}

const auto kKinds = testing::Values(FlipKind::bop, FlipKind::counter, FlipKind::bold, FlipKind::diode, FlipKind::dqt);

INSTANTIATE_TEST_SUITE_P(Rules, EveryRule, testing::Combine(kKinds, testing::Values(4, 8, 16, 32), kPaths), rule_name);

class EveryNorm : public testing::TestWithParam<std::tuple<FlipKind, int64_t, FlipNorm>> {
 protected:
  FlipOptions options_ = options_of(std::get<0>(GetParam()), std::get<1>(GetParam()), std::get<2>(GetParam()));

  static std::vector<std::string> state_names() {
    return {"w", "w.counter", "w.row_square", "w.column_square", "w.square", "w.updates", "w.last_flips"};
  }
  // The levels of a counter; of 32 bits itself.
  at::Tensor levels(const at::Tensor& counter, int64_t columns) const {
    if (options_.state_bits != 4) return counter.to(at::kDouble);
    const at::Tensor pairs = at::stack({counter.bitwise_and(15), counter.bitwise_right_shift(4)}, 2);
    return pairs.view({counter.size(0), -1}).narrow(1, 0, columns).to(at::kDouble) - 8;
  }
};

// At equal states and draws, but for how sums and multiply-adds are rounded: then a level is one off here and there.
TEST_P(EveryNorm, KernelsDoWhatTheOperationsDo) {
  for (const auto& [rows, columns] : {std::pair(9, 70), {131, 65}, {1, 200}, {90, 1}, {3, 1100}}) {
    OneMatrix ours(rows, columns, options_), theirs(rows, columns, options_);
    for (uint64_t step = 0; step < 6; ++step) {
      for (const std::string& name : state_names()) {
        if (ours.buffer(name).defined()) theirs.buffer(name).copy_(ours.buffer(name));
      }
      at::Generator drawn = generator(step), composed = generator(step);
      const at::Tensor gradient = normal({rows, columns}, 50 + step) + 0.2;
      ours.step(gradient, 0.1, drawn);
      {
        const ForcePath path(Path::reference);
        theirs.step(gradient, 0.1, composed);
      }
      const at::Tensor alike = ours.weights().eq(theirs.weights());
      EXPECT_LE(alike.logical_not().sum().item<int64_t>(), rows * columns / 5000 + 1);
      const at::Tensor counters = levels(ours.buffer("w.counter"), columns);
      const at::Tensor off = (counters - levels(theirs.buffer("w.counter"), columns)).abs().masked_fill(~alike, 0);
      const bool floats = options_.state_bits == 32;
      EXPECT_LE(off.max().item<double>(), floats ? 1e-5 * (1 + counters.abs().max().item<double>()) : 1.0);
      EXPECT_TRUE(floats || off.sum().item<double>() <= 0.02 * static_cast<double>(rows * columns));
      for (const char* name : {"w.row_square", "w.column_square", "w.square"}) {
        EXPECT_TRUE(!ours.buffer(name).defined() || near(ours.buffer(name), theirs.buffer(name), 1e-6));
      }
      ASSERT_TRUE(same(at::empty({3}).uniform_(0, 1, drawn), at::empty({3}).uniform_(0, 1, composed)));
    }
    EXPECT_EQ(ours.buffer("w.updates")[0].item<double>(), 6);
  }
}

TEST_P(EveryNorm, EveryNumberOfThreadsGivesTheSameBits) {
  constexpr int64_t kRows = 300, kColumns = 257;
  const auto run = [&](int threads) {
    at::set_num_threads(threads);
    at::Generator(at::globalContext().defaultGenerator(at::kCPU)).set_current_seed(3);
    OneMatrix model(kRows, kColumns, options_);
    at::Generator drawn = generator(4);
    for (uint64_t step = 0; step < 4; ++step) model.step(normal({kRows, kColumns}, step) + 0.2, 0.1, drawn);
    at::set_num_threads(1);
    std::vector<at::Tensor> state;
    for (const std::string& name : state_names())
      if (model.buffer(name).defined()) state.push_back(model.buffer(name));
    state.push_back(at::empty({3}).uniform_(0, 1, drawn));
    return state;
  };
  const std::vector<at::Tensor> one = run(1);
  for (const int threads : {2, 3}) {
    const std::vector<at::Tensor> more = run(threads);
    for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(same(more[i], one[i])) << threads << " threads";
  }
}

TEST_P(EveryNorm, AGradientThatIsNoNumberFlipsNothing) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Path path : {Path::reference, Path::fused_cpu}) {
    const ForcePath forced(path);
    OneMatrix model(5, 67, options_);
    const at::Tensor before = model.weights();
    model.step(at::full({5, 67}, nan), 0.5, 1);
    EXPECT_TRUE(same(model.weights(), before));
    const at::Tensor counters = levels(model.buffer("w.counter"), 67);
    if (options_.kind == FlipKind::diode) continue;  // its sign is 0
    EXPECT_TRUE((options_.state_bits == 32 ? counters.isnan() : counters.eq(0)).all().item<bool>());
  }
}

std::string norm_name(const testing::TestParamInfo<std::tuple<FlipKind, int64_t, FlipNorm>>& info) {
  const char* kinds[] = {"bop", "counter", "bold", "diode", "dqt"};
  const char* norms[] = {"Factored", "Tensor", "None"};
  return std::string(kinds[static_cast<int>(std::get<0>(info.param))]) + std::to_string(std::get<1>(info.param)) +
         norms[static_cast<int>(std::get<2>(info.param))];
}

INSTANTIATE_TEST_SUITE_P(Rules, EveryNorm,
                         testing::Combine(kKinds, testing::Values(4, 8, 16, 32),
                                          testing::Values(FlipNorm::factored, FlipNorm::tensor, FlipNorm::none)),
                         norm_name);

TEST(FlipRule, WithoutAGeneratorLibTorchsOwnIsDrawnFrom) {
  std::vector<at::Tensor> weights, next;
  for (const Path path : {Path::reference, Path::fused_cpu}) {
    const ForcePath forced(path);
    at::manual_seed(3);
    OneMatrix model(20, 30, options_of(FlipKind::counter, 8));
    model.step(normal({20, 30}, 1), 0, at::Generator());
    weights.push_back(model.weights());
    next.push_back(at::rand({3}));
  }
  EXPECT_TRUE(same(weights[0], weights[1]));
  EXPECT_TRUE(same(next[0], next[1]));
}

// A gradient that is no matrix row by row goes the other way.
TEST(FlipRule, TakesGradientsOfAnyLayout) {
  const FlipOptions options = options_of(FlipKind::bop, 32);
  OneMatrix plain(20, 30, options), turned(20, 30, options);
  turned.buffer("w").copy_(plain.buffer("w"));
  const at::Tensor gradient = normal({20, 30}, 1);
  plain.step(gradient, 0, 1);
  at::Tensor by_columns = gradient.t().contiguous().t();
  turned.step(by_columns, 0, 1);
  EXPECT_TRUE(near(turned.buffer("w.counter"), plain.buffer("w.counter"), 1e-6));
}

TEST(FlipRule, FrozenMeansNoUpdate) {
  OneMatrix model(5, 20, options_of(FlipKind::bop, 8));
  const at::Tensor before = model.buffer("w.counter").clone();
  model.rule.update(0, generator(1));
  EXPECT_TRUE(same(model.buffer("w.counter"), before));
}

}  // namespace
}  // namespace bitsweep::nn
