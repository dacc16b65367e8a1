// Where blocks put their trained tensors: a model's registry seen through a dotted-path scope.
#pragma once

#include <string>
#include <string_view>

#include "nn/model.h"

namespace bitsweep::nn {

// Standard deviation of fresh latents: the strict family starts from N(0, 0.02²), and the others with it.
inline constexpr double kLatentSd = 0.02;

// A light handle; blocks take it in their constructor and keep only the tensors they were given.
class ParameterSink {
 public:
  explicit ParameterSink(Model& model, std::string prefix = {}) : model_(model), prefix_(std::move(prefix)) {}

  // The same registry one level deeper: sink.scope("layers").scope("0") names "layers.0.…".
  ParameterSink scope(std::string_view name) const;

  // A matrix of latents ~ N(0, sd²), with weight decay. Drawn from LibTorch's default generator.
  at::Tensor normal(std::string_view name, at::IntArrayRef shape, double sd) const;
  // A vector or scalar (threshold, norm, bias, scale), without weight decay.
  at::Tensor constant(std::string_view name, at::IntArrayRef shape, double value) const;
  // A ±1 matrix without a latent, of random signs.
  BitMatrix bits(std::string_view name, int64_t rows, int64_t columns) const;
  // State of training, of any type: a checkpoint keeps it.
  at::Tensor state(std::string_view name, at::Tensor initial) const;

 private:
  std::string path(std::string_view name) const;

  Model& model_;
  std::string prefix_;
};

}  // namespace bitsweep::nn
