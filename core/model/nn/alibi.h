// ALiBi (Press, Smith, Lewis 2022): score −= slope_h · (t − j), and the causal mask that comes with it.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

namespace bitsweep::nn {

// Slopes of H heads: r^(h+1), r = 2^(−8/H) when H is a power of two; else those of the power of two below, then every
// second slope of the power of two above (the paper's code). Largest first within each part.
std::vector<double> alibi_slopes(int64_t heads);

// The additive term of causal scores, made once and kept for its device and type:
// [H, T, T], −slope_h·(t − j) where j <= t, −∞ above the diagonal. Without slopes [1, T, T] of 0 and −∞.
class CausalBias {
 public:
  // alibi: false gives the mask alone.
  CausalBias(int64_t heads, bool alibi);

  // [H or 1, T, T]
  const at::Tensor& get(int64_t context, const at::TensorOptions& options);
  // Its last `queries` rows, [H or 1, queries, T]: those asked for last are kept beside it, for the layers of a model.
  const at::Tensor& rows(int64_t queries, int64_t context, const at::TensorOptions& options);

  // Per head, in f32 on the CPU; all 0 without ALiBi.
  const std::vector<float>& slopes() const { return slopes_; }
  bool alibi() const { return alibi_; }

 private:
  const at::Tensor& kept(at::Tensor& bias, int64_t queries, int64_t context, const at::TensorOptions& options) const;
  at::Tensor made(int64_t queries, int64_t context, const at::TensorOptions& options) const;

  bool alibi_;
  std::vector<float> slopes_;
  at::Tensor bias_, rows_;
};

}  // namespace bitsweep::nn
