#include "engine/strict_bytes.h"

#include <algorithm>

namespace bitsweep::engine {
namespace {

using kernels::SignBits;

constexpr int64_t kFloatBytes = 4;
constexpr int64_t kTableLanes = 16;  // rows of a table product whose sums stand at once (kernels/table_rows_avx2.cpp)
constexpr int64_t kQueriesAtOnce = 32;  // whose scores do, on the way back (kernels/bit_attention.cpp)

// Signs of a linear's output and, where gradients are clipped, the bits of |y| <= 1.
int64_t output_bytes(const StrictPlan& plan, int64_t rows, int64_t outputs, bool trains) {
  return (trains && plan.clipped ? 2 : 1) * SignBits::bytes(rows, outputs);
}

int64_t packed_bytes(const StrictPlan& plan) {
  int64_t layer = 0;
  for (uint8_t i = 0; i < kLinears; ++i) {
    const auto place = static_cast<LinearPlace>(i);
    layer += BitWeight::bytes(plan.outputs(place), plan.inputs(place));
  }
  return plan.layers * layer + BitWeight::bytes(plan.vocab, plan.d_model);
}

int64_t gradient_row_bytes(const StrictPlan& plan, int64_t rows) {
  constexpr int64_t kOfModel = 6, kOfInner = 2;  // StrictGradientRows
  return kFloatBytes * rows * (kOfModel * plan.d_model + kOfInner * plan.d_ff) + SignBits::bytes(plan.d_model, rows) +
         SignBits::bytes(plan.d_ff, rows);
}

int64_t scratch_bytes(const StrictPlan& plan, int64_t context) {
  const int64_t size = plan.head_size(), widest = std::max(plan.d_model, plan.d_ff);
  const int64_t bits = 3 * SignBits::bytes(context, size) + 2 * SignBits::bytes(size, context);
  const int64_t floats = plan.keys == 0 ? 2 * (kQueriesAtOnce + size) * context : 7 * context * size;
  return kFloatBytes * (2 * kTableLanes * widest + floats) + bits;
}

}  // namespace

StrictBytes strict_bytes(const StrictPlan& plan, int64_t sequences, int64_t context, bool trains) {
  const int64_t rows = sequences * context, layers = trains ? plan.layers : 1;
  const int64_t model_row = SignBits::bytes(rows, plan.d_model), inner_row = SignBits::bytes(rows, plan.d_ff);
  const int64_t model_output = output_bytes(plan, rows, plan.d_model, trains),
                inner_output = output_bytes(plan, rows, plan.d_ff, trains), inside = model_output - model_row;
  StrictBytes bytes;
  bytes.projections = layers * (2 * model_row + 3 * model_output + inside);  // the input, what o reads; q, k, v; o
  bytes.attention = layers * 2 * kFloatBytes * rows * plan.heads * std::max<int64_t>(1, plan.keys);  // key, score
  bytes.ffn = layers * (inner_row + 2 * inner_output + inside);  // what down reads; gate, up; down
  const int64_t logit_rows = logit_part_rows(plan, rows);
  bytes.standing = packed_bytes(plan) + 3 * model_row + logit_rows * (kFloatBytes * plan.vocab + 2 * 8);
  if (trains) bytes.standing += gradient_row_bytes(plan, rows);
  bytes.scratch = scratch_bytes(plan, context);
  return bytes;
}

}  // namespace bitsweep::engine
