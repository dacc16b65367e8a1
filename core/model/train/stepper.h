// One training step: batch, forward, loss, backward, clipping, update. What it does at step s is a function of the
// parameters, the optimizer's state and s alone.
#pragma once

#include <cstdint>
#include <optional>

#include "data/dataset.h"
#include "nn/model.h"
#include "spec/run_spec.h"
#include "train/loss_meter.h"
#include "train/optimizer.h"
#include "train/precision.h"
#include "train/randomness.h"

namespace bitsweep::train {

class Stepper {
 public:
  // All of them outlive the stepper. Throws Error{input} when the batch does not split into `accumulate` equal parts,
  // for an unknown precision or schedule, or for gradients that nothing here rounds.
  Stepper(const spec::RunSpec& spec, const data::Dataset& dataset, nn::Model& model, Optimizer& optimizer,
          LossMeter& losses, c10::Device device);

  // Step `step`, from 0. Returns without an update when the meter reports a loss that is not finite.
  void run(int64_t step);

  // Of the last update: global norm before clipping (waits for the device), and rate.
  double gradient_norm() const { return norm_.defined() ? norm_.item<double>() : 0.0; }
  double lr() const { return lr_; }

 private:
  // Of examples, which targets of the step's sequences are not learned (bool [batch * context] on the CPU), and how
  // many are; nothing of windows of a text, where all are.
  struct StepTargets {
    at::Tensor left_out;
    std::optional<int64_t> count;
  };
  StepTargets targets_of(int64_t step) const;
  void accumulate_gradients(int64_t step);
  void update(int64_t step);

  const spec::RunSpec& spec_;
  const data::Dataset& dataset_;
  nn::Model& model_;
  Optimizer& optimizer_;
  LossMeter& losses_;
  c10::Device device_;
  Precision precision_;
  nn::Gradients gradients_ = nn::Gradients::f32;
  NoiseSource noise_;
  at::Tensor norm_;
  double lr_ = 0;
};

}  // namespace bitsweep::train
