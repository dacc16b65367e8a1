#include "engine/alpha_rows.h"

#include <algorithm>

namespace bitsweep::engine {
namespace {

bool shifts(const EnginePlan& plan) {
  return std::any_of(plan.key_shifts.begin(), plan.key_shifts.end(), [](int64_t offset) { return offset > 0; });
}

}  // namespace

AlphaLayerRows::AlphaLayerRows(const EnginePlan& plan, int64_t rows, bool trains)
    : x(rows * plan.d_model),
      middle(rows * plan.d_model),
      attention(plan, rows),
      gate(rows, plan.d_ff),
      up(rows, plan.d_ff),
      product(rows, plan.d_ff) {
  if (!plan.mixes) attended = kernels::SignBits(rows, plan.d_model);
  if (!trains || !plan.clipped) return;
  for (const LinearPlace place : {kQueryLinear, kKeyLinear, kValueLinear, kGateLinear, kUpLinear})
    inside[place] = kernels::SignBits(rows, plan.outputs(place));
}

int64_t AlphaLayerRows::bytes() const {
  int64_t sum = bytes_of_all(x, middle, attention) + bytes_of_signs(gate, up, product);
  if (attended.rows() > 0) sum += bytes_of_signs(attended);
  for (const kernels::SignBits& bits : inside)
    if (bits.rows() > 0) sum += bytes_of_signs(bits);
  return sum;
}

AlphaRows::AlphaRows(const EnginePlan& plan, int64_t rows, bool trains)
    : last(rows * plan.d_model),
      normed(rows * plan.d_model),
      shifted(shifts(plan) ? rows * plan.d_model : 0),
      mixed(plan.mixes ? rows * plan.d_model : 0),
      sums(rows * plan.widest()) {
  const int64_t kept = trains ? plan.layers : 1;
  for (int64_t layer = 0; layer < kept; ++layer) layers.emplace_back(plan, rows, trains);
}

int64_t AlphaRows::bytes() const {
  int64_t sum = bytes_of_all(last, normed, shifted, mixed, sums);
  for (const AlphaLayerRows& layer : layers) sum += layer.bytes();
  return sum;
}

AlphaGradientRows::AlphaGradientRows(const EnginePlan& plan, int64_t rows)
    : residual(rows * plan.d_model),
      normed(rows * plan.d_model),
      end(rows * plan.widest()),
      attended(rows * plan.d_model),
      query(rows * plan.d_model),
      key(rows * plan.d_model),
      value(rows * plan.d_model),
      inner(rows * plan.d_ff),
      product(plan.most_weights()),
      transposed_inner(plan.d_ff, rows) {
  if (!plan.mixes) transposed = kernels::SignBits(plan.d_model, rows);
}

int64_t AlphaGradientRows::bytes() const {
  int64_t sum = bytes_of_all(residual, normed, end, attended, query, key, value, inner, product) +
                bytes_of_signs(transposed_inner);
  if (transposed.rows() > 0) sum += bytes_of_signs(transposed);
  return sum;
}

}  // namespace bitsweep::engine
