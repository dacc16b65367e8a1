// What the benchmarks of blocks and variants share: a batch, a plugin's training step, and steps timed in turns.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "nn/kernel_for.h"
#include "nn/model.h"
#include "plugin/build_id.h"
#include "plugin/loader.h"
#include "train/gradients.h"
#include "train/token_loss.h"

namespace bitsweep {

struct Batch {
  int64_t vocab = 128, context = 128, sequences = 16;

  at::Tensor random_windows() const { return at::empty({sequences, context + 1}, at::kLong).random_(0, vocab); }
  at::Tensor inputs(const at::Tensor& windows) const { return windows.narrow(1, 0, context).contiguous(); }
  train::TokenBatch tokens(const at::Tensor& windows) const {
    return {.inputs = inputs(windows), .targets = windows.narrow(1, 1, context).flatten()};
  }
  at::Tensor loss(const at::Tensor& logits, const at::Tensor& windows) const {
    return at::cross_entropy_loss(logits.flatten(0, 1), windows.narrow(1, 1, context).flatten());
  }
};

// One thread is timed by the CPU time it used, which neighbours on the machine change least; several by the wall.
inline double now_s() {
  timespec now{};
  clock_gettime(at::get_num_threads() == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

inline double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

using Step = std::function<void()>;

// Median seconds of each step, the steps taking turns.
inline std::vector<double> time_steps(const std::vector<Step>& steps, int rounds) {
  for (int warm = 0; warm < 3; ++warm) {
    for (const Step& step : steps) step();
  }
  std::vector<std::vector<double>> seconds(steps.size());
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < steps.size(); ++i) {
      const double begin = now_s();
      steps[i]();
      seconds[i].push_back(now_s() - begin);
    }
  }
  std::vector<double> medians;
  for (const std::vector<double>& values : seconds) medians.push_back(median(values));
  return medians;
}

// A plugin's model and a training step of it.
class Trained {
 public:
  Trained(const std::string& name, const fs::path& plugins, const json::object& options, const Batch& batch,
          const kernels::KernelTable& kernels = kernels::built_in_kernels())
      : batch_(batch),
        plugin_(plugin::load_plugin(name, plugins, BITSWEEP_BUILD_ID)),
        model_(nullptr, nullptr),
        kernels_(kernels) {
    plugin::DescribeRequest request{.options = options, .vocab = batch.vocab, .context = batch.context};
    description_ = plugin_.describe(request);
    request.options = description_.options;
    model_ = plugin_.create(request);
  }

  // Forward, loss and backward, as the trainer makes them; gradients stay.
  void accumulate(const at::Tensor& windows, nn::Gradients gradients = nn::Gradients::f32) {
    const nn::WithKernels kernels(kernels_);
    nn::StepContext of_step = context();
    of_step.gradients = gradients;
    loss_and_backward(*model_, batch_.tokens(windows), of_step, train::Precision::f32);
  }
  // What trains without a latent trains itself.
  void update() {
    const nn::WithKernels kernels(kernels_);
    model_->update(context());
  }
  void step(const at::Tensor& windows) {
    accumulate(windows);
    update();
    drop_gradients();
  }
  void drop_gradients() {
    train::drop_gradients(model_->parameters());
    for (const nn::BitMatrix& matrix : model_->bit_matrices()) matrix.port.mutable_grad().reset();
  }
  const plugin::Description& description() const { return description_; }
  nn::Model& model() { return *model_; }

 private:
  static nn::StepContext context() {  // the middle of the schedules
    nn::StepContext context{.training = true, .step = 1, .total_steps = 3, .noise = {}};
    context.noise = at::globalContext().defaultGenerator(at::kCPU);
    return context;
  }

  Batch batch_;
  plugin::Plugin plugin_;
  plugin::OwnedModel model_;
  plugin::Description description_;
  const kernels::KernelTable& kernels_;
};

}  // namespace bitsweep
