#include "train/stepper.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/error.h"
#include "nn/block_scope.h"
#include "nn/step_engine.h"
#include "spec/lr_schedule.h"
#include "train/evaluate.h"
#include "train/gradients.h"

namespace bitsweep::train {

namespace {

// What a model's gradients can be rounded to here.
nn::Gradients gradients_of(nn::Model& model, c10::Device device, Precision precision, const std::string& word) {
  const nn::Gradients gradients = nn::parse_gradients(word);
  const bool rounds = precision == Precision::f32 && device.is_cpu() &&
                      (model.blocks_round() || (model.engine() != nullptr && model.engine()->rounds()));
  if (gradients == nn::Gradients::f32 || rounds) return gradients;
  throw Error(ErrorKind::input,
              fmt::format("train.gradients is {}, and they are rounded on a CPU, in f32, of a model that has 1-bit "
                          "weights. Expected f32 here, on {}{}",
                          word, device.str(), precision == Precision::f32 ? "" : " in bf16"));
}

}  // namespace

Stepper::Stepper(const spec::RunSpec& spec, const data::Dataset& dataset, nn::Model& model, Optimizer& optimizer,
                 LossMeter& losses, c10::Device device)
    : spec_(spec),
      dataset_(dataset),
      model_(model),
      optimizer_(optimizer),
      losses_(losses),
      device_(device),
      precision_(parse_precision(spec.train.precision)),
      noise_(spec.seed, device) {
  const spec::TrainSpec& train = spec.train;
  if (train.batch < 1 || train.accumulate < 1 || train.batch % train.accumulate != 0)
    throw Error(ErrorKind::input, fmt::format("train.batch {} does not split into train.accumulate {} equal parts",
                                              train.batch, train.accumulate));
  gradients_ = gradients_of(model_, device_, precision_, train.gradients);
  learning_rate(train, train.warmup);  // refuses an unknown schedule now rather than after the warmup
}

void Stepper::run(int64_t step) {
  BITSWEEP_BLOCK("other");
  drop_gradients(model_.parameters());
  accumulate_gradients(step);
  if (!losses_.first_non_finite()) update(step);
}

void Stepper::update(int64_t step) {
  BITSWEEP_BLOCK("optimizer");
  norm_ = bitsweep::train::gradient_norm(model_.parameters());
  lr_ = learning_rate(spec_.train, step);
  // A stream of its own: those of micro-batches count from 0 up.
  model_.update({.training = true, .step = step, .total_steps = spec_.train.steps, .noise = noise_.at(-1 - step)});
  optimizer_.step(lr_, clip_divisor(norm_, spec_.train.clip));
}

Stepper::StepTargets Stepper::targets_of(int64_t step) const {
  if (!dataset_.of_examples()) return {};
  const int64_t batch = spec_.train.batch;
  const at::Tensor counted = at::empty({batch * dataset_.context()}, at::kByte);
  dataset_.counted(static_cast<uint64_t>(spec_.seed), step * batch, batch,
                   std::span(counted.mutable_data_ptr<uint8_t>(), static_cast<size_t>(counted.numel())));
  return {.left_out = counted.eq(0), .count = counted.sum(at::kLong).item<int64_t>()};
}

void Stepper::accumulate_gradients(int64_t step) {
  const int64_t parts = spec_.train.accumulate;
  const int64_t micro_batch = spec_.train.batch / parts;
  const StepTargets counted = targets_of(step);
  for (int64_t part = 0; part < parts; ++part) {
    const at::Tensor windows = window_buffer(micro_batch, dataset_.context(), device_, dataset_.width());
    dataset_.sequences(static_cast<uint64_t>(spec_.seed), step * spec_.train.batch + part * micro_batch, micro_batch,
                       tokens_of(windows));
    const nn::StepContext context{.training = true,
                                  .step = step,
                                  .total_steps = spec_.train.steps,
                                  .noise = noise_.at(step * parts + part),
                                  .gradients = gradients_};
    TokenBatch batch = to_device(windows, device_);
    if (counted.left_out.defined()) {
      const int64_t targets = micro_batch * dataset_.context();
      const at::Tensor left_out = counted.left_out.narrow(0, part * targets, targets).to(device_);
      batch.targets = batch.targets.masked_fill(left_out, kIgnoredTarget);
    }
    losses_.add(step,
                loss_and_backward(model_, batch, context, precision_, {.parts = parts, .targets = counted.count}));
    if (losses_.first_non_finite()) return;
  }
}

}  // namespace bitsweep::train
