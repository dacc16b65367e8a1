#include "engine/strict_rows.h"

#include <algorithm>

namespace bitsweep::engine {

using kernels::SignBits;

StrictLayerRows::StrictLayerRows(const EnginePlan& plan, int64_t rows, bool trains)
    : x(rows, plan.d_model),
      attention(plan, rows),
      gate(rows, plan.d_ff),
      up(rows, plan.d_ff),
      product(rows, plan.d_ff) {
  if (!plan.mixes) attended = SignBits(rows, plan.d_model);
  if (!trains || !plan.clipped) return;
  for (uint8_t i = 0; i < kLinears; ++i) inside[i] = SignBits(rows, plan.outputs(static_cast<LinearPlace>(i)));
}

int64_t StrictLayerRows::bytes() const {
  int64_t sum = bytes_of_signs(x, gate, up, product) + attention.bytes();
  if (attended.rows() > 0) sum += bytes_of_signs(attended);
  for (const SignBits& bits : inside)
    if (bits.rows() > 0) sum += bytes_of_signs(bits);
  return sum;
}

StrictRows::StrictRows(const EnginePlan& plan, int64_t rows, bool trains)
    : out(rows, plan.d_model),
      down(rows, plan.d_model),
      last(rows, plan.d_model),
      mixed(plan.mixes ? rows * plan.d_model : 0),
      sums(mixed.count()),
      scales(plan.mixes ? plan.d_model : 0) {
  std::fill_n(scales.data(), scales.count(), input_scale(plan.d_model));
  const int64_t kept = trains ? plan.layers : 1;
  for (int64_t layer = 0; layer < kept; ++layer) layers.emplace_back(plan, rows, trains);
}

int64_t StrictRows::bytes() const {
  int64_t sum = bytes_of_signs(out, down, last) + mixed.bytes() + sums.bytes() + scales.bytes();
  for (const StrictLayerRows& layer : layers) sum += layer.bytes();
  return sum;
}

StrictGradientRows::StrictGradientRows(const EnginePlan& plan, int64_t rows)
    : residual(rows * plan.d_model),
      end(rows * plan.d_model),
      attended(rows * plan.d_model),
      query(rows * plan.d_model),
      key(rows * plan.d_model),
      value(rows * plan.d_model),
      inner(rows * plan.d_ff),
      inner_end(rows * plan.d_ff),
      transposed(plan.d_model, rows),
      transposed_inner(plan.d_ff, rows) {}

int64_t StrictGradientRows::bytes() const {
  return residual.bytes() + end.bytes() + attended.bytes() + query.bytes() + key.bytes() + value.bytes() +
         inner.bytes() + inner_end.bytes() + bytes_of_signs(transposed, transposed_inner);
}

}  // namespace bitsweep::engine
