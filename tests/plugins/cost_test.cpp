// What a plugin says that a training step costs, against what LibTorch and the model's engine allocate for it.
#include <algorithm>
#include <ostream>
#include <thread>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "aligned_memory.h"
#include "built_plugin.h"
#include "train/adamw.h"
#include "train/evaluate.h"
#include "train/gradients.h"
#include "train/restore.h"
#include "train/tensor_memory.h"

namespace bitsweep {
namespace {

struct Case {
  std::string plugin, options;
  int64_t vocab, context, sequences;
  bool accumulates = false;
  std::string precision = "f32";
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.plugin << " " << c.options << " V " << c.vocab << " T " << c.context << " B " << c.sequences
       << (c.accumulates ? " accumulating " : " ") << c.precision;
}

struct Measured {
  int64_t weights = 0, optimizer = 0, checkpoint = 0, peak = 0;
  int64_t engine = 0;  // of the engine's buffers and of the kernels' for this thread
};

void backward(nn::Model& model, const Case& c, const nn::StepContext& context) {
  const at::Tensor windows = at::full({c.sequences, c.context + 1}, 65, at::kByte);
  loss_and_backward(model, train::to_device(windows, at::kCPU), context, train::parse_precision(c.precision));
}

// Three steps as the trainer makes them.
Measured measure_here(const plugin::Plugin& plugin, const plugin::DescribeRequest& request, const Case& c) {
  Measured measured;
  const train::TensorMemory memory;
  const int64_t aligned_before = live_aligned_bytes();
  const plugin::OwnedModel model = build(plugin, request);
  // The port of a bit matrix, which no memory stands behind, is one float.
  const int64_t ports = 4 * static_cast<int64_t>(model->bit_matrices().size());
  measured.weights = memory.live_bytes() - ports;
  const std::unique_ptr<train::Optimizer> optimizer = train::make_optimizer({}, model->parameters());
  measured.optimizer = memory.live_bytes() - measured.weights - ports;
  for (const train::NamedTensor& tensor : all_tensors(*model, *optimizer))
    measured.checkpoint += static_cast<int64_t>(tensor.tensor.nbytes());
  for (int64_t step = 0; step < 3; ++step) {
    nn::StepContext context{.training = true, .step = step, .total_steps = 3, .noise = {}};
    context.noise = at::globalContext().defaultGenerator(at::kCPU).clone();
    train::drop_gradients(model->parameters());
    for (int part = 0; part < (c.accumulates ? 2 : 1); ++part) backward(*model, c, context);
    model->update(context);
    optimizer->step(1e-3, {});
  }
  measured.engine = live_aligned_bytes() - aligned_before;  // they come in the first step and stay
  measured.peak = memory.peak_bytes() + measured.engine;
  return measured;
}

// On a thread of its own, which has no scratch yet.
Measured measure(const plugin::Plugin& plugin, const plugin::DescribeRequest& request, const Case& c) {
  Measured measured;
  std::thread thread([&] {
    at::set_num_threads(1);
    measured = measure_here(plugin, request, c);
  });
  thread.join();
  return measured;
}

class Cost : public testing::TestWithParam<Case> {};

TEST_P(Cost, BytesAreThoseOfTheBuiltModel) {
  const Case& c = GetParam();
  const plugin::Plugin plugin = built_plugin(c.plugin);
  plugin::DescribeRequest request = request_of(c.options, c.vocab, c.context);
  request.sequences = c.sequences;
  request.accumulates = c.accumulates;
  request.precision = c.precision;
  const plugin::Description description = plugin.describe(request);
  ASSERT_TRUE(description.bytes.has_value());
  const plugin::MemoryNeed& need = *description.bytes;
  const Measured measured = measure(plugin, request, c);
  const double ratio = static_cast<double>(need.peak) / static_cast<double>(measured.peak);
  EXPECT_EQ(need.weights + need.optimizer, measured.weights + measured.optimizer);
  EXPECT_EQ(need.checkpoint(), measured.checkpoint);
  EXPECT_NEAR(ratio, 1.0, c.precision == "f32" ? 0.05 : 0.15)
      << need.peak << " bytes said, " << measured.peak << " allocated, " << measured.engine << " of them buffers";
  ASSERT_TRUE(description.path.has_value());
  const bool pointer = c.plugin == "v47b" || c.plugin == "v75" || c.plugin == "v76";
  const bool rope = c.options.find("rope") != std::string::npos;
  EXPECT_EQ(description.path->own, !(pointer && rope) && c.precision == "f32");
}

std::vector<Case> cases() {
  constexpr const char* kNarrow = R"({"d_model": 64, "n_layers": 3, "n_heads": 4, "d_ff": 96})";
  constexpr const char* kWide = R"({"d_model": 256, "n_layers": 2, "n_heads": 8, "d_ff": 128})";
  std::vector<Case> all;
  for (const char* name : kPluginNames) {
    all.push_back({name, kNarrow, 128, 128, 4});
    all.push_back({name, kNarrow, 256, 32, 16});
    all.push_back({name, kWide, 128, 256, 2});
    all.push_back({name, kWide, 256, 16, 1});
    all.push_back({name, kWide, 128, 64, 4, true});
    all.push_back({name, kWide, 128, 256, 2, false, "bf16"});
    all.push_back({name, kNarrow, 128, 64, 4, false, "bf16"});
    all.push_back({name, kNarrow, 20'000, 100, 8});  // two parts
  }
  const auto with = [](std::string shape, const char* more) { return shape.replace(shape.size() - 1, 1, more); };
  for (const char* name : {"llama", "bitnet", "b158"})
    for (const char* more : {R"(, "positions": "rope"})", R"(, "n_kv_heads": 1})", R"(, "tied": true})",
                             R"(, "positions": "rope", "n_kv_heads": 2, "tied": true})"}) {
      all.push_back({name, with(kNarrow, more), 128, 128, 4});
      all.push_back({name, with(kWide, more), 128, 256, 2});
      all.push_back({name, with(kWide, more), 128, 64, 4, true});
      all.push_back({name, with(kWide, more), 128, 256, 2, false, "bf16"});
    }
  for (const char* more : {R"(, "norms": "outer_and_sub"})", R"(, "norms": "outer_and_sub", "activation": "relu2"})"}) {
    all.push_back({"b158", with(kNarrow, more), 128, 128, 4});
    all.push_back({"b158", with(kWide, more), 128, 256, 2});
    all.push_back({"b158", with(kWide, more), 128, 256, 2, false, "bf16"});
  }
  all.push_back({"llama", with(kWide, R"(, "tied": true})"), 20'000, 100, 8, true});
  for (const char* name : {"v47b", "v52", "v75", "v76"}) {
    all.push_back({name, with(kNarrow, R"(, "positions": "rope"})"), 128, 128, 4});
    all.push_back({name, with(kWide, R"(, "positions": "rope"})"), 128, 256, 2, false, "bf16"});
  }
  for (const char* name : {"llama", "b158", "v52"})
    for (const char* precision : {"f32", "bf16"})
      all.push_back({name, with(kWide, R"(, "alibi": false})"), 128, 256, 2, false, precision});
  for (const char* name : {"v57", "truebit"}) {
    all.push_back({name, with(kNarrow, R"(, "attention": "topk"})"), 128, 128, 4});
    all.push_back({name, with(kWide, R"(, "attention": "topk", "output_ste": "identity"})"), 128, 256, 2, true});
  }
  for (const char* name : {"llama", "v57", "truebit", "bitnet"}) {
    all.push_back({name, kNarrow, 12'000, 100, 6});  // one part
    all.push_back({name, kWide, 20'000, 100, 9, true});
    all.push_back({name, kNarrow, 20'000, 100, 9, false, "bf16"});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Plugins, Cost, testing::ValuesIn(cases()));

}  // namespace
}  // namespace bitsweep
