#include "train/adamw.h"

#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "kernels/adamw.h"
#include "spec/lr_schedule.h"
#include "train/element_blocks.h"

namespace bitsweep::train {
namespace {

struct UpdatedFloats {
  const float* gradient;
  float *values, *mean, *square;
};

// Element by element as the parameter lies, which is all that kernels go by.
at::Tensor laid_like(const at::Tensor& parameter, const at::Tensor& gradient) {
  return gradient.strides() == parameter.strides() ? gradient : at::empty_like(parameter).copy_(gradient);
}

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const spec::TrainSpec& train, const std::vector<nn::Parameter>& parameters) {
  if (train.optimizer == "adamw") return std::make_unique<AdamW>(train, parameters);
  throw Error(ErrorKind::input,
              fmt::format("unknown optimizer '{}'{}", train.optimizer, did_you_mean(train.optimizer, {"adamw"})));
}

AdamW::AdamW(const spec::TrainSpec& train, const std::vector<nn::Parameter>& parameters) : train_(train), groups_(2) {
  for (const nn::Parameter& parameter : parameters) {
    if (!parameter.tensor.requires_grad()) continue;
    Group& group = groups_[parameter.decay ? 0 : 1];
    group.names.push_back(parameter.name);
    group.parameters.push_back(parameter.tensor);
    group.exp_avg.push_back(at::zeros_like(parameter.tensor));
    group.exp_avg_sq.push_back(at::zeros_like(parameter.tensor));
    if (!step_.defined()) step_ = at::zeros({}, parameter.tensor.options().requires_grad(false).dtype(at::kFloat));
  }
  if (!step_.defined()) throw Error(ErrorKind::input, "every parameter is frozen: nothing is left to train");
}

void AdamW::step(double lr, const at::Tensor& divisor) {
  const at::NoGradGuard no_grad;
  // A checkpoint may have been read into step_ since; after that it is counted here, so that a GPU is waited for once.
  if (updates_ < 0) updates_ = static_cast<int64_t>(step_.item<float>());
  const double decay = weight_decay(train_, updates_++);
  step_.add_(1);
  step_group(moved(groups_[0]), lr, decay, divisor);
  step_group(moved(groups_[1]), lr, 0.0, divisor);
}

AdamW::Moved AdamW::moved(const Group& group) {
  Moved moved;
  for (size_t i = 0; i < group.parameters.size(); ++i) {
    const at::Tensor& gradient = group.parameters[i].grad();
    if (!gradient.defined()) continue;  // took no part in this step
    moved.parameters.push_back(group.parameters[i]);
    moved.gradients.push_back(laid_like(group.parameters[i], gradient));
    moved.exp_avg.push_back(group.exp_avg[i]);
    moved.exp_avg_sq.push_back(group.exp_avg_sq[i]);
  }
  return moved;
}

void AdamW::step_group(const Moved& moved, double lr, double weight_decay, const at::Tensor& divisor) {
  if (moved.parameters.empty()) return;
  if (all_plain(moved.parameters) && all_plain(moved.gradients)) return step_plain(moved, lr, weight_decay, divisor);
  const std::vector<at::Tensor> steps(moved.parameters.size(), step_);
  const std::optional<at::Tensor> scale = divisor.defined() ? std::optional(divisor) : std::nullopt;
  at::_fused_adamw_(moved.parameters, moved.gradients, moved.exp_avg, moved.exp_avg_sq, {}, steps, lr, train_.beta1,
                    train_.beta2, weight_decay, train_.eps, /*amsgrad=*/false, /*maximize=*/false, scale);
}

void AdamW::step_plain(const Moved& moved, double lr, double weight_decay, const at::Tensor& divisor) const {
  const double steps = static_cast<double>(updates_);
  const kernels::AdamWUpdate update{
      .beta1 = static_cast<float>(train_.beta1),
      .gradient_share = static_cast<float>(1 - train_.beta1),
      .beta2 = static_cast<float>(train_.beta2),
      .square_share = static_cast<float>(1 - train_.beta2),
      .kept = static_cast<float>(1 - lr * weight_decay),
      .rate = static_cast<float>(lr / (1 - std::pow(train_.beta1, steps))),
      .root_scale = static_cast<float>(1 / std::sqrt(1 - std::pow(train_.beta2, steps))),
      .epsilon = static_cast<float>(train_.eps),
      .gradient_scale = divisor.defined() ? static_cast<float>(1 / divisor.item<double>()) : 1.0f};
  ElementBlocks blocks;
  std::vector<UpdatedFloats> tensors;
  for (size_t i = 0; i < moved.parameters.size(); ++i) {
    blocks.add(moved.parameters[i].numel());
    tensors.push_back({moved.gradients[i].const_data_ptr<float>(), moved.parameters[i].mutable_data_ptr<float>(),
                       moved.exp_avg[i].mutable_data_ptr<float>(), moved.exp_avg_sq[i].mutable_data_ptr<float>()});
  }
  blocks.for_each([&](size_t, size_t tensor, int64_t first, int64_t elements) {
    const UpdatedFloats& of = tensors[tensor];
    kernels::adamw_range(update, of.gradient + first, of.values + first, of.mean + first, of.square + first, elements);
  });
}

std::vector<NamedTensor> AdamW::state() {
  std::vector<NamedTensor> state{{"step", step_}};
  for (Group& group : groups_) {
    for (size_t i = 0; i < group.names.size(); ++i) {
      state.push_back({"exp_avg." + group.names[i], group.exp_avg[i]});
      state.push_back({"exp_avg_sq." + group.names[i], group.exp_avg_sq[i]});
    }
  }
  return state;
}

}  // namespace bitsweep::train
