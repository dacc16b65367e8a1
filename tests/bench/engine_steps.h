// A whole training step as the trainer makes it, and the scoring of a batch.
#pragma once

#include <vector>

#include "steps.h"
#include "train/adamw.h"
#include "train/gradients.h"

namespace bitsweep {

class OptimizedStep {
 public:
  OptimizedStep(const std::string& name, const fs::path& plugins, const json::object& options, const Batch& batch,
                const kernels::KernelTable& kernels)
      : trained_(name, plugins, options, batch, kernels),
        batch_(batch),
        kernels_(kernels),
        optimizer_(spec::TrainSpec{}, trained_.model().parameters()) {}

  void step(const at::Tensor& windows, double rate = 1e-3) {
    trained_.accumulate(windows);
    const std::vector<nn::Parameter>& parameters = trained_.model().parameters();
    const at::Tensor norm = train::gradient_norm(parameters);
    trained_.update();
    optimizer_.step(rate, train::clip_divisor(norm, 1.0));
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

  const plugin::Description& description() const { return trained_.description(); }
  Trained& trained() { return trained_; }

 private:
  Trained trained_;
  Batch batch_;
  const kernels::KernelTable& kernels_;
  train::AdamW optimizer_;
};

}  // namespace bitsweep
