// What the parted head is worth at a large vocabulary (V 32,000, 2,048 tokens): a step's forward and backward pass in
// parts of the rows against the same with all logits at once, as ratios: peak bytes of tensors (must: <= 0.5) and time
// (must: <= 1.0), medians of interleaved rounds on one thread.
//
// usage: bench_heads [ROUNDS]      with the plugins of its own build
#include <algorithm>
#include <cstdlib>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/error.h"
#include "steps.h"
#include "train/gradients.h"
#include "train/tensor_memory.h"
#include "train/token_loss.h"

namespace bitsweep {
namespace {

constexpr int64_t kVocab = 32'000, kSequences = 8, kContext = 256;
const json::object kShape = {{"d_model", 256}, {"n_layers", 2}, {"n_heads", 8}, {"d_ff", 512}};

int64_t peak_bytes(const Step& step) {
  train::TensorMemory memory;
  step();
  return memory.peak_bytes();
}

// True when parts are as small and as fast as they must be.
bool compare(const std::string& name, const fs::path& plugins, int rounds) {
  const plugin::Plugin plugin = plugin::load_plugin(name, plugins, BITSWEEP_BUILD_ID);
  plugin::DescribeRequest request{.options = kShape, .vocab = kVocab, .context = kContext};
  request.options = plugin.describe(request).options;
  const plugin::OwnedModel model = plugin.create(request);
  const train::TokenBatch batch{.inputs = at::empty({kSequences, kContext}, at::kLong).random_(0, kVocab),
                                .targets = at::empty({kSequences * kContext}, at::kLong).random_(0, kVocab)};
  nn::StepContext context{.training = true, .step = 1, .total_steps = 3, .noise = {}};
  context.noise = at::globalContext().defaultGenerator(at::kCPU);
  const auto drop = [&] {
    train::drop_gradients(model->parameters());
    for (const nn::BitMatrix& matrix : model->bit_matrices()) matrix.port.mutable_grad().reset();
  };
  const Step parted = [&] {
    loss_and_backward(*model, batch, context, train::Precision::f32);
    drop();
  };
  const Step whole = [&] {
    token_nats(*model, batch, context, train::Precision::f32, /*mean=*/true).backward();
    drop();
  };
  const double bytes = static_cast<double>(peak_bytes(parted)) / static_cast<double>(peak_bytes(whole));
  const std::vector<double> s = time_steps({parted, whole}, rounds);
  fmt::print(
      "{} V {}, {} tokens: parted {:.0f} ms, whole {:.0f} ms; time {:.2f} (must: <= 1.0), peak bytes {:.2f} "
      "(must: <= 0.5)\n",
      name, kVocab, kSequences * kContext, s[0] * 1e3, s[1] * 1e3, s[0] / s[1], bytes);
  return s[0] <= s[1] && bytes <= 0.5;
}

int run(int argc, char** argv) {
  const fs::path plugins = program_folder().parent_path() / "plugins";
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 5;
  at::set_num_threads(1);
  bool held = true;
  for (const char* name : {"llama", "bitnet", "v57", "truebit"}) held &= compare(name, plugins, rounds);
  return held ? 0 : 1;
}

}  // namespace
}  // namespace bitsweep

int main(int argc, char** argv) {
  try {
    return bitsweep::run(argc, argv);
  } catch (const bitsweep::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return error.exit_code();
  }
}
