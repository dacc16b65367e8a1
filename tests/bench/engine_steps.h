// A whole training step as the trainer makes it, and the scoring of a batch.
#pragma once

#include <optional>
#include <vector>

#include "nn/step_engine.h"
#include "steps.h"
#include "train/adamw.h"
#include "train/gradients.h"

namespace bitsweep {

// Clipping and AdamW by LibTorch's operations alone.
class LibTorchUpdate {
 public:
  explicit LibTorchUpdate(const std::vector<nn::Parameter>& parameters) {
    for (const nn::Parameter& p : parameters) weights_.push_back(p.tensor);
    for (const at::Tensor& w : weights_) mean_.push_back(at::zeros_like(w)), square_.push_back(at::zeros_like(w));
  }
  void step(double rate) {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> gradients;
    for (const at::Tensor& w : weights_) gradients.push_back(w.grad());
    const at::Tensor norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)));
    count_.add_(1);
    at::_fused_adamw_(weights_, gradients, mean_, square_, {}, std::vector<at::Tensor>(weights_.size(), count_), rate,
                      0.9, 0.95, 0.01, 1e-8, false, false, norm.clamp_min(1.0));
  }

 private:
  std::vector<at::Tensor> weights_, mean_, square_;
  at::Tensor count_ = at::zeros({});
};

// A table of kernels other than the program's leaves the model to its blocks, and the update to LibTorch.
class OptimizedStep {
 public:
  OptimizedStep(const std::string& name, const fs::path& plugins, const json::object& options, const Batch& batch,
                const kernels::KernelTable& kernels)
      : trained_(name, plugins, options, batch, kernels),
        batch_(batch),
        kernels_(kernels),
        optimizer_(spec::TrainSpec{}, trained_.model().parameters()) {
    if (&kernels != &kernels::built_in_kernels()) libtorch_.emplace(trained_.model().parameters());
  }

  void step(const at::Tensor& windows, double rate = 1e-3, nn::Gradients gradients = nn::Gradients::f32) {
    trained_.accumulate(windows, gradients);
    const std::vector<nn::Parameter>& parameters = trained_.model().parameters();
    if (libtorch_) {
      const nn::WithKernels flips_by_operations(kernels::no_kernels());
      trained_.update();
      libtorch_->step(rate);
    } else {
      trained_.update();
      optimizer_.step(rate, train::clip_divisor(train::gradient_norm(parameters), 1.0));
    }
    train::drop_gradients(parameters);
  }

  // Loss and gradients alone.
  void gradients(const at::Tensor& windows) {
    trained_.accumulate(windows);
    train::drop_gradients(trained_.model().parameters());
  }

  void score(const at::Tensor& windows) {
    const nn::WithKernels kernels(kernels_);
    token_scores(trained_.model(), batch_.tokens(windows), {}, train::Precision::f32, /*likeliest=*/false);
  }

  // Of a target of these windows.
  double mean_nats(const at::Tensor& windows) {
    const at::NoGradGuard no_grad;
    const nn::WithKernels kernels(kernels_);
    return token_nats(trained_.model(), batch_.tokens(windows), {}, train::Precision::f32, /*mean=*/true)
        .item<double>();
  }

  // Gradients on their way, to integers.
  bool rounds() {
    const nn::WithKernels kernels(kernels_);
    const nn::StepEngine* engine = trained_.model().engine();
    return engine != nullptr && engine->rounds();
  }
  const plugin::Description& description() const { return trained_.description(); }
  Trained& trained() { return trained_; }

 private:
  Trained trained_;
  Batch batch_;
  const kernels::KernelTable& kernels_;
  train::AdamW optimizer_;
  std::optional<LibTorchUpdate> libtorch_;
};

}  // namespace bitsweep
