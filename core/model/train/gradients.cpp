#include "train/gradients.h"

#include <cmath>

#include <ATen/ATen.h>

#include "kernels/adamw.h"
#include "train/element_blocks.h"

namespace bitsweep::train {
namespace {

// Of each block, and those in their order: the same bits with any number of threads.
double square_sum_of(const std::vector<at::Tensor>& tensors) {
  ElementBlocks blocks;
  std::vector<const float*> values;
  for (const at::Tensor& tensor : tensors) {
    blocks.add(tensor.numel());
    values.push_back(tensor.const_data_ptr<float>());
  }
  std::vector<double> sums(blocks.count());
  blocks.for_each([&](size_t block, size_t tensor, int64_t first, int64_t elements) {
    sums[block] = kernels::square_sum(values[tensor] + first, elements);
  });
  double sum = 0;
  for (const double of_block : sums) sum += of_block;
  return sum;
}

}  // namespace

at::Tensor gradient_norm(const std::vector<nn::Parameter>& parameters) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const nn::Parameter& parameter : parameters)
    if (parameter.tensor.grad().defined()) gradients.push_back(parameter.tensor.grad());
  if (gradients.empty()) return at::zeros({});
  if (all_plain(gradients)) return at::scalar_tensor(std::sqrt(square_sum_of(gradients)), at::kFloat);
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
