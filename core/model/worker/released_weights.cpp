#include "worker/released_weights.h"

#include <cstring>
#include <map>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"

namespace bitsweep::worker {
namespace {

at::ScalarType type_of(const std::string& dtype) {
  return dtype == "F16" ? at::kHalf : dtype == "BF16" ? at::kBFloat16 : at::kFloat;
}

// What does not fit, by the names of ours.
std::vector<Diagnostic> misfits(const std::map<std::string, const weights::ReleasedTensor*>& released,
                                const std::vector<nn::Parameter>& parameters) {
  std::vector<Diagnostic> wrong;
  std::map<std::string, const weights::ReleasedTensor*> left = released;
  for (const nn::Parameter& parameter : parameters) {
    const auto found = released.find(parameter.name);
    left.erase(parameter.name);
    if (found == released.end())
      wrong.push_back(
          {.message = fmt::format("the model has a tensor '{}' that the checkpoint lacks", parameter.name)});
    else if (at::IntArrayRef(found->second->shape) != parameter.tensor.sizes())
      wrong.push_back({.message = fmt::format("tensor '{}' has shape [{}], the model's '{}' has [{}]",
                                              found->second->theirs, fmt::join(found->second->shape, ", "),
                                              parameter.name, fmt::join(parameter.tensor.sizes(), ", "))});
  }
  for (const auto& [ours, tensor] : left)
    wrong.push_back({.message = fmt::format("the model has no tensor '{}' for '{}'", ours, tensor->theirs)});
  return wrong;
}

}  // namespace

void copy_released(const weights::ReleasedModel& from, const nn::Model& model) {
  const at::NoGradGuard no_grad;
  std::map<std::string, const weights::ReleasedTensor*> released;
  for (const weights::ReleasedTensor& tensor : from.tensors) released[tensor.ours] = &tensor;
  const std::vector<nn::Parameter> parameters = model.parameters();
  if (auto wrong = misfits(released, parameters); !wrong.empty()) throw Error(ErrorKind::input, std::move(wrong));
  for (const nn::Parameter& parameter : parameters) {
    const std::string& name = released.at(parameter.name)->theirs;
    const std::span<const uint8_t> bytes = from.weights.bytes_of(name);
    // Through memory of LibTorch's own: the file need not be aligned.
    const at::Tensor stored = at::empty(parameter.tensor.sizes(), type_of(from.weights.tensors().at(name)->dtype));
    std::memcpy(stored.mutable_data_ptr(), bytes.data(), bytes.size());
    at::Tensor(parameter.tensor.detach()).copy_(stored);
  }
}

}  // namespace bitsweep::worker
