#include "engine/strict_rows.h"

#include <algorithm>
#include <cmath>

namespace bitsweep::engine {
namespace {

using kernels::Buffer;
using kernels::SignBits;

// Of a part's logits: below it a second part would cost more than it saves.
constexpr int64_t kLogitBytes = 32 << 20;

int64_t bytes_of(const SignBits& bits) { return SignBits::bytes(bits.rows(), bits.columns()); }

template <class... Matrices>
int64_t bytes_of_all(const Matrices&... matrices) {
  return (bytes_of(matrices) + ...);
}

}  // namespace

float input_scale(int64_t inputs) { return static_cast<float>(1.0 / std::sqrt(static_cast<double>(inputs))); }

StrictLayerWeights::StrictLayerWeights(const StrictPlan& plan) {
  for (uint8_t i = 0; i < kLinears; ++i) {
    const auto place = static_cast<LinearPlace>(i);
    weight[place] = BitWeight(plan.outputs(place), plan.inputs(place));
    limits[place] = kernels::EndLimits(plan.outputs(place));
  }
}

StrictLayerRows::StrictLayerRows(const StrictPlan& plan, int64_t rows, bool trains)
    : x(rows, plan.d_model),
      query(rows, plan.d_model),
      key(rows, plan.d_model),
      value(rows, plan.d_model),
      gate(rows, plan.d_ff),
      up(rows, plan.d_ff),
      attended(rows, plan.d_model),
      product(rows, plan.d_ff),
      choice(rows * plan.heads * std::max<int64_t>(1, plan.keys)),
      top(plan.keys == 0 ? rows * plan.heads : 0),
      probabilities(rows * plan.heads * plan.keys) {
  if (!trains || !plan.clipped) return;
  for (uint8_t i = 0; i < kLinears; ++i) inside[i] = SignBits(rows, plan.outputs(static_cast<LinearPlace>(i)));
}

int64_t StrictLayerRows::bytes() const {
  int64_t sum = bytes_of_all(x, query, key, value, gate, up, attended, product) + choice.bytes() + top.bytes() +
                probabilities.bytes();
  for (const SignBits& bits : inside) sum += bytes_of(bits);
  return sum;
}

int64_t logit_part_rows(const StrictPlan& plan, int64_t rows) {
  const int64_t most = std::max<int64_t>(1, kLogitBytes / (plan.vocab * static_cast<int64_t>(sizeof(float))));
  return std::min(rows, kernels::rounded_up(most, kernels::kWordBits));
}

StrictRows::StrictRows(const StrictPlan& plan, int64_t rows, bool trains)
    : out(rows, plan.d_model), down(rows, plan.d_model), last(rows, plan.d_model) {
  const int64_t kept = trains ? plan.layers : 1;
  for (int64_t layer = 0; layer < kept; ++layer) layers.emplace_back(plan, rows, trains);
  logit_rows = logit_part_rows(plan, rows);
  logits = Buffer<float>(logit_rows * plan.vocab);
  row_sums = Buffer<double>(2 * logit_rows);
}

int64_t StrictRows::bytes() const {
  int64_t sum = bytes_of_all(out, down, last) + logits.bytes() + row_sums.bytes();
  for (const StrictLayerRows& layer : layers) sum += layer.bytes();
  return sum;
}

void RoundedGradient::reserve(const StrictPlan& plan, int64_t count) {
  const auto linear = [&](int64_t m, int64_t outputs, int64_t columns) {
    rows.shape(*plan.rounding, m, outputs);
    rows.shape(*plan.rounding, outputs, m);
    inputs.shape(*plan.rounding, m, columns);
    weight.shape(*plan.rounding, outputs, columns);
  };
  for (uint8_t i = 0; i < kLinears; ++i) {
    const auto place = static_cast<LinearPlace>(i);
    linear(count, plan.outputs(place), plan.inputs(place));
  }
  linear(logit_part_rows(plan, count), plan.vocab, plan.d_model);
}

StrictGradientRows::StrictGradientRows(const StrictPlan& plan, int64_t rows)
    : residual(rows * plan.d_model),
      end(rows * plan.d_model),
      attended(rows * plan.d_model),
      query(rows * plan.d_model),
      key(rows * plan.d_model),
      value(rows * plan.d_model),
      inner(rows * plan.d_ff),
      inner_end(rows * plan.d_ff),
      transposed(plan.d_model, rows),
      transposed_inner(plan.d_ff, rows) {
  if (plan.rounding) rounded.reserve(plan, rows);
}

int64_t StrictGradientRows::bytes() const {
  return residual.bytes() + end.bytes() + attended.bytes() + query.bytes() + key.bytes() + value.bytes() +
         inner.bytes() + inner_end.bytes() + bytes_of_all(transposed, transposed_inner) + rounded.bytes();
}

}  // namespace bitsweep::engine
