// A model that trains in microseconds and uses everything a model may: decayed and undecayed parameters, noise, the
// step.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "nn/model.h"
#include "train/randomness.h"

namespace bitsweep::train {

// Tensors this small only lose by being shared between threads.
inline const bool kOneThread = (at::set_num_threads(1), true);

class TinyModel : public nn::Model {
 public:
  explicit TinyModel(int64_t seed = 0, int64_t width = 8, int64_t vocab = 256) {
    seed_initial_weights(seed);
    embedding_ = add_parameter("embedding.weight", at::randn({vocab, width}).mul_(0.1));
    hidden_ = add_parameter("layers.0.weight", at::randn({width, width}).mul_(0.3));
    shift_ = add_parameter("layers.0.shift", at::zeros({width}), /*decay=*/false);
    head_ = add_parameter("head.weight", at::randn({vocab, width}).mul_(0.1));
  }

  at::Tensor forward(const at::Tensor& tokens, const nn::StepContext& context) override {
    at::Tensor x = at::embedding(embedding_, tokens);  // [B, T, d]
    x = at::tanh(at::linear(x, hidden_, shift_));
    if (context.training && noise > 0) x = x + noise * at::randn(x.sizes(), context.noise, x.options());
    at::Tensor logits = at::linear(x, head_);  // [B, T, V]
    seen_type = logits.scalar_type();
    if (context.training && context.step == nan_at_step) logits = logits * std::numeric_limits<double>::quiet_NaN();
    if (on_step) on_step(context);
    return logits;
  }

  double noise = 0.1;
  int64_t nan_at_step = -1;
  at::ScalarType seen_type = at::kDouble;
  std::function<void(const nn::StepContext&)> on_step;

 private:
  at::Tensor embedding_, hidden_, shift_, head_;
};

}  // namespace bitsweep::train
