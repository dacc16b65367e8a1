#include "nn/alibi.h"

#include <bit>
#include <cmath>
#include <limits>

#include <ATen/ATen.h>

namespace bitsweep::nn {
namespace {

// r^(h+1), r = 2^(−8/n).
double power_slope(int64_t head, int64_t heads) {
  return std::exp2(-8.0 * static_cast<double>(head + 1) / static_cast<double>(heads));
}

}  // namespace

std::vector<double> alibi_slopes(int64_t heads) {
  const int64_t below = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(heads)));
  std::vector<double> slopes;
  for (int64_t h = 0; h < below; ++h) slopes.push_back(power_slope(h, below));
  for (int64_t h = 0; h < heads - below; ++h) slopes.push_back(power_slope(2 * h, 2 * below));
  return slopes;
}

CausalBias::CausalBias(int64_t heads, bool alibi) : alibi_(alibi), slopes_(static_cast<size_t>(heads), 0.0f) {
  if (!alibi) return;
  const std::vector<double> slopes = alibi_slopes(heads);
  slopes_.assign(slopes.begin(), slopes.end());
}

const at::Tensor& CausalBias::get(int64_t context, const at::TensorOptions& options) {
  return kept(bias_, context, context, options);
}

const at::Tensor& CausalBias::rows(int64_t queries, int64_t context, const at::TensorOptions& options) {
  return kept(queries == context ? bias_ : rows_, queries, context, options);
}

const at::Tensor& CausalBias::kept(at::Tensor& bias, int64_t queries, int64_t context,
                                   const at::TensorOptions& options) const {
  const bool same = bias.defined() && bias.size(1) == queries && bias.size(2) == context &&
                    bias.device() == options.device() &&
                    bias.scalar_type() == c10::typeMetaToScalarType(options.dtype());
  if (!same) bias = made(queries, context, options);
  return bias;
}

at::Tensor CausalBias::made(int64_t queries, int64_t context, const at::TensorOptions& options) const {
  at::NoGradGuard no_grad;
  const at::TensorOptions wide = at::TensorOptions().dtype(at::kFloat).device(options.device());
  const at::Tensor place = at::arange(context, wide);  // [T]
  const at::Tensor distance =
      place.narrow(0, context - queries, queries).unsqueeze(1) - place.unsqueeze(0);  // [queries, T]: t − j
  at::Tensor slopes = at::zeros({1}, wide);
  if (alibi_) slopes = at::tensor(at::ArrayRef<float>(slopes_)).to(options.device());
  return (distance.unsqueeze(0) * slopes.neg().view({-1, 1, 1}))
      .masked_fill_(distance.unsqueeze(0).lt(0), -std::numeric_limits<float>::infinity())
      .to(options.dtype());
}

}  // namespace bitsweep::nn
