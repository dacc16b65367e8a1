#include "nn/model.h"

#include <ATen/ATen.h>

#include "base/error.h"

namespace bitsweep {

void Model::to(at::Device device) {
  // set_data keeps the tensor's identity, so the handles that the blocks hold move with it.
  at::NoGradGuard no_grad;
  for (Parameter& parameter : parameters_) parameter.tensor.set_data(parameter.tensor.to(device));
}

at::Tensor Model::add_parameter(std::string name, at::Tensor initial, bool decay) {
  for (const Parameter& parameter : parameters_) {
    if (parameter.name == name) throw Error(ErrorKind::failed, "two parameters are called '" + name + "'");
  }
  at::Tensor tensor = initial.detach().to(at::kFloat).contiguous().set_requires_grad(true);
  parameters_.push_back({std::move(name), tensor, decay});
  return tensor;
}

}  // namespace bitsweep
