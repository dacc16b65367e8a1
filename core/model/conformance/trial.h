// A small model in training, by the trainer's own parts: optimizer, stepper, checkpoint.
#pragma once

#include <memory>

#include "conformance/workbench.h"
#include "spec/run_spec.h"
#include "train/loss_meter.h"
#include "train/optimizer.h"
#include "train/restore.h"
#include "train/stepper.h"

namespace bitsweep::conformance {

// `steps` steps of `batch` sequences of the workbench's text, without warmup, clipped at 1.
struct TrialPlan {
  int64_t steps = 10;
  int64_t batch = 4;
  int64_t warmup = 0;
  double lr = 3e-3;
  double weight_decay = 0.01;
  int64_t seed = 0;  // of batches and noise
  TrialShape shape = kTinyShape;
};

inline constexpr int64_t kTrialWindows = 64;  // of the validation part

class Trial {
 public:
  // `weights_seed`: of the initial weights.
  Trial(const Workbench& bench, const TrialPlan& plan, int64_t weights_seed);
  Trial(const Workbench& bench, const TrialPlan& plan) : Trial(bench, plan, plan.seed) {}
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  // The next step; its loss in nats per token.
  double step();
  // From here on `step` comes next.
  void go_to(int64_t step) { done_ = step; }

  nn::Model& model() { return *model_; }
  train::Optimizer& optimizer() { return *optimizer_; }
  // All that a checkpoint holds.
  std::vector<train::NamedTensor> tensors() { return all_tensors(*model_, *optimizer_); }
  // Bits per byte on kTrialWindows windows of the text's validation part.
  double validation_bpc();

 private:
  const data::Dataset& dataset_;
  spec::RunSpec spec_;
  plugin::OwnedModel model_;
  std::unique_ptr<train::Optimizer> optimizer_;
  train::LossMeter losses_{1};
  train::Stepper stepper_;
  int64_t done_ = 0;
};

}  // namespace bitsweep::conformance
