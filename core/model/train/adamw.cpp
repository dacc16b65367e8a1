#include "train/adamw.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "spec/lr_schedule.h"

namespace bitsweep::train {

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
  groups_[0].weight_decay = weight_decay(train_, updates_++);
  step_.add_(1);
  for (Group& group : groups_) step_group(group, lr, divisor);
}

void AdamW::step_group(Group& group, double lr, const at::Tensor& divisor) {
  std::vector<at::Tensor> parameters, gradients, exp_avg, exp_avg_sq;
  for (size_t i = 0; i < group.parameters.size(); ++i) {
    const at::Tensor& gradient = group.parameters[i].grad();
    if (!gradient.defined()) continue;  // took no part in this step
    parameters.push_back(group.parameters[i]);
    gradients.push_back(gradient);
    exp_avg.push_back(group.exp_avg[i]);
    exp_avg_sq.push_back(group.exp_avg_sq[i]);
  }
  if (parameters.empty()) return;
  const std::vector<at::Tensor> steps(parameters.size(), step_);
  const std::optional<at::Tensor> scale = divisor.defined() ? std::optional(divisor) : std::nullopt;
  at::_fused_adamw_(parameters, gradients, exp_avg, exp_avg_sq, {}, steps, lr, train_.beta1, train_.beta2,
                    group.weight_decay, train_.eps, /*amsgrad=*/false, /*maximize=*/false, scale);
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
