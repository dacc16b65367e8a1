#include "nn/model.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/error.h"
#include "nn/bits.h"

namespace bitsweep::nn {
namespace {

at::Tensor gradient_port(int64_t rows, int64_t columns, at::Device device) {
  return at::zeros({1}, at::TensorOptions(at::kFloat).device(device)).expand({rows, columns});
}

[[noreturn]] void no_halves() {
  throw Error(ErrorKind::failed, "the model has no halves trunk() and head() to be run by");
}

}  // namespace

void require_rows(const at::Tensor& tokens, const at::Tensor& earlier) {
  if (!earlier.defined() || earlier.size(0) == tokens.size(0)) return;
  throw Error(ErrorKind::failed,
              fmt::format("decoding goes on with {} rows after {}", tokens.size(0), earlier.size(0)));
}

StepContext decoding(StepContext context) {
  context.training = false;
  context.observer = nullptr;
  return context;
}

at::Tensor Model::trunk(const at::Tensor&, const StepContext&) { no_halves(); }
at::Tensor Model::head(const at::Tensor&) { no_halves(); }

at::Tensor Model::decode(const at::Tensor& tokens, const StepContext& context, DecodeCache& cache, int64_t wanted) {
  const at::NoGradGuard no_grad;
  require_rows(tokens, cache.tokens);
  cache.tokens = cache.tokens.defined() ? at::cat({cache.tokens, tokens}, 1) : tokens;
  cache.length = cache.tokens.size(1);
  return forward(cache.tokens, decoding(context)).narrow(1, cache.length - wanted, wanted);
}

void Model::to(at::Device device) {
  // set_data keeps the tensor's identity, so the handles that the blocks hold move with it.
  at::NoGradGuard no_grad;
  for (Parameter& parameter : parameters_) parameter.tensor.set_data(parameter.tensor.to(device));
  for (Buffer& buffer : buffers_) buffer.tensor.set_data(buffer.tensor.to(device));
  for (BitMatrix& matrix : bit_matrices_) matrix.port.set_data(gradient_port(matrix.rows, matrix.columns, device));
}

at::Tensor Model::add_parameter(std::string name, at::Tensor initial, bool decay) {
  require_new_name(name);
  at::Tensor tensor = initial.detach().to(at::kFloat).contiguous().set_requires_grad(true);
  parameters_.push_back({std::move(name), tensor, decay});
  return tensor;
}

at::Tensor Model::add_buffer(std::string name, at::Tensor initial, bool weight) {
  require_new_name(name);
  buffers_.push_back({std::move(name), initial.detach().contiguous(), weight});
  return buffers_.back().tensor;
}

BitMatrix Model::add_bit_matrix(std::string name, int64_t rows, int64_t columns) {
  const at::Tensor bits = pack_bits(at::empty({rows, columns}, at::kFloat).normal_().ge(0));
  BitMatrix matrix{name, rows, columns, add_buffer(name, bits, /*weight=*/true),
                   gradient_port(rows, columns, at::kCPU).set_requires_grad(true)};
  bit_matrices_.push_back(matrix);
  return matrix;
}

void Model::require_new_name(const std::string& name) const {
  const auto has = [&](const auto& list) {
    return std::any_of(list.begin(), list.end(), [&](const auto& entry) { return entry.name == name; });
  };
  if (has(parameters_) || has(buffers_)) throw Error(ErrorKind::failed, "two parameters are called '" + name + "'");
}

}  // namespace bitsweep::nn
