#include "train/gradients.h"

#include <ATen/ATen.h>

namespace bitsweep::train {

at::Tensor gradient_norm(const std::vector<nn::Parameter>& parameters) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const nn::Parameter& parameter : parameters)
    if (parameter.tensor.grad().defined()) gradients.push_back(parameter.tensor.grad());
  if (gradients.empty()) return at::zeros({});
  return at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients, 2)));
}

at::Tensor clip_divisor(const at::Tensor& norm, double clip) {
  if (clip <= 0) return {};
  const at::NoGradGuard no_grad;
  // Looking costs nothing on a CPU, and spares a pass over the gradients.
  if (norm.is_cpu() && norm.item<double>() <= clip) return {};
  return norm.div(clip).clamp_min_(1.0);
}

void drop_gradients(const std::vector<nn::Parameter>& parameters) {
  for (const nn::Parameter& parameter : parameters) parameter.tensor.mutable_grad().reset();
}

}  // namespace bitsweep::train
