#include "nn/module.h"

#include <ATen/ATen.h>

namespace bitsweep::nn {

std::string ParameterSink::path(std::string_view name) const {
  std::string path = prefix_;
  if (!path.empty()) path += '.';
  path += name;
  return path;
}

ParameterSink ParameterSink::scope(std::string_view name) const { return ParameterSink(model_, path(name)); }

at::Tensor ParameterSink::normal(std::string_view name, at::IntArrayRef shape, double sd) const {
  return model_.add_parameter(path(name), at::empty(shape, at::kFloat).normal_(0.0, sd), /*decay=*/true);
}

at::Tensor ParameterSink::constant(std::string_view name, at::IntArrayRef shape, double value) const {
  return model_.add_parameter(path(name), at::full(shape, value, at::kFloat), /*decay=*/false);
}

BitMatrix ParameterSink::bits(std::string_view name, int64_t rows, int64_t columns) const {
  return model_.add_bit_matrix(path(name), rows, columns);
}

at::Tensor ParameterSink::state(std::string_view name, at::Tensor initial) const {
  return model_.add_buffer(path(name), std::move(initial), /*weight=*/false);
}

}  // namespace bitsweep::nn
