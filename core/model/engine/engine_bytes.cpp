#include "engine/engine_bytes.h"

#include <algorithm>

#include "engine/head_part.h"
#include "kernels/byte_products.h"
#include "kernels/float_products.h"
#include "kernels/quantized_products.h"
#include "kernels/softmax_attention.h"
#include "kernels/ternary_products.h"

namespace bitsweep::engine {
namespace {

using kernels::SignBits;

constexpr int64_t kFloatBytes = 4, kDoubleBytes = 8;
constexpr int64_t kTableLanes = 16;     // rows of a table product whose sums stand at once (kernels/rows_in_lanes.inc)
constexpr int64_t kQueriesAtOnce = 32;  // whose scores do, on the way back (kernels/bit_attention.cpp)
// Rows of noisy scores that are looked at together, and what there is of each key: bits, scores, bounds, candidates.
constexpr int64_t kNoisyRows = 16, kOfNoisyKey = 6;

// A pass, as it counts.
struct Counted {
  const EnginePlan& plan;
  int64_t rows, layers;  // layers whose rows are kept
  bool trains;

  int64_t floats(int64_t columns) const { return kFloatBytes * rows * columns; }
  int64_t signs(int64_t columns) const { return SignBits::bytes(rows, columns); }
  // |y| <= 1 of an output.
  int64_t inside(int64_t columns) const { return trains && plan.clipped ? signs(columns) : 0; }
  int64_t wider() const { return plan.widest(); }
};

// Of every weight of the layers; and of an α-scaled one, and one of bytes, what comes with it.
int64_t packed_weight(const EnginePlan& plan, int64_t outputs, int64_t inputs) {
  if (plan.weights == Weights::floats) return 0;
  const bool ternary = plan.weights == Weights::ternary;
  const int64_t bits = ternary ? kernels::TernaryIndex::memory(outputs, inputs) : BitWeight::bytes(outputs, inputs);
  if (plan.weights != Weights::signs) return bits + kernels::CodeMatrix::memory(outputs, inputs);
  return bits + (plan.softmax ? kFloatBytes * outputs : 0);
}

int64_t packed_bytes(const EnginePlan& plan) {
  int64_t layer = 0;
  for (uint8_t i = 0; i < kLinears; ++i) {
    const auto place = static_cast<LinearPlace>(i);
    layer += packed_weight(plan, plan.outputs(place), plan.inputs(place));
  }
  return plan.layers * layer + (plan.float_ends ? 0 : BitWeight::bytes(plan.vocab, plan.d_model));
}

int64_t head_bytes(const EnginePlan& plan, int64_t rows) {
  const int64_t part = logit_part_rows(plan, rows);
  return part * (kFloatBytes * plan.vocab + 2 * kDoubleBytes) + kFloatBytes * plan.vocab;
}

int64_t scratch_bytes(const EnginePlan& plan, int64_t context) {
  const int64_t size = plan.head_size(), widest = plan.widest();
  const int64_t rows = std::max(widest, plan.vocab), columns = plan.float_ends ? rows : widest;
  const int64_t products = kernels::float_product_scratch_bytes(rows, columns);
  // Of look-ups: sums of the widest output and those of the blocks before.
  const int64_t looked_up = plan.weights == Weights::floats ? 0 : kFloatBytes * 2 * kTableLanes * widest;
  // The last rows of a ternary product, and what they give.
  const int64_t part = plan.weights == Weights::ternary ? looked_up : 0;
  if (plan.softmax) return kernels::softmax_scratch_bytes(context, size) + products + looked_up + part;
  const int64_t bits = 3 * SignBits::bytes(context, size) + 2 * SignBits::bytes(size, context);
  const int64_t floats =
      (plan.keys == 0 ? 2 * (kQueriesAtOnce + size) * context + 4 * context * size : 7 * context * size) +
      kNoisyRows * kOfNoisyKey * context;
  const bool reads_floats = plan.residual == Residual::floats || plan.mixes;
  return looked_up + kFloatBytes * floats + bits + (reads_floats ? products : 0);
}

// The largest of what is rounded, and of what it is multiplied with (GradientProducts::reserve).
int64_t rounding_bytes(const EnginePlan& plan, int64_t rows) {
  if (!plan.rounding) return 0;
  const kernels::QuantizedKind kind = *plan.rounding;
  int64_t scales = 0, numbers = 0, inputs = 0, weight = 0;
  const auto round = [&](int64_t count, int64_t depth) {
    const int64_t of_scales = kFloatBytes * count;
    scales = std::max(scales, of_scales);
    numbers = std::max(numbers, kernels::QuantizedRows::memory(kind, count, depth) - of_scales);
  };
  const auto linear = [&](int64_t count, int64_t outputs, int64_t columns, bool signs) {
    round(count, outputs);
    weight = std::max(weight, kernels::QuantizedIndex::memory(kind, outputs, columns));
    if (!signs) return;
    round(outputs, count);
    inputs = std::max(inputs, kernels::QuantizedIndex::memory(kind, count, columns));
  };
  for (uint8_t i = 0; i < kLinears; ++i) {
    const auto place = static_cast<LinearPlace>(i);
    linear(rows, plan.outputs(place), plan.inputs(place), plan.reads_signs(place));
  }
  linear(logit_part_rows(plan, rows), plan.vocab, plan.d_model, plan.residual == Residual::signs);
  return scales + numbers + inputs + weight;
}

// StrictRows and StrictGradientRows.
void count_strict(const Counted& of, EngineBytes& bytes) {
  const int64_t d = of.plan.d_model, f = of.plan.d_ff;
  bytes.projections = of.layers * ((of.plan.mixes ? 4 : 5) * of.signs(d) + 4 * of.inside(d));  // x, q, k, v; for o
  bytes.ffn = of.layers * (3 * of.signs(f) + 2 * of.inside(f) + of.inside(d));
  bytes.standing += 3 * of.signs(d) + (of.plan.mixes ? 2 * of.floats(d) + kFloatBytes * d : 0);
  if (!of.trains) return;
  bytes.standing += 6 * of.floats(d) + 2 * of.floats(f) + SignBits::bytes(d, of.rows) + SignBits::bytes(f, of.rows);
}

// AlphaRows, AlphaGradientRows and the means of |W|.
void count_alpha(const Counted& of, EngineBytes& bytes) {
  const EnginePlan& plan = of.plan;
  const int64_t d = plan.d_model, f = plan.d_ff;
  const bool shifts = std::any_of(plan.key_shifts.begin(), plan.key_shifts.end(), [](int64_t o) { return o > 0; });
  bytes.norms = of.layers * 2 * of.floats(d);  // what is normed
  bytes.projections = of.layers * ((plan.mixes ? 3 : 4) * of.signs(d) + 3 * of.inside(d));
  bytes.ffn = of.layers * (3 * of.signs(f) + 2 * of.inside(f));
  const int64_t means = kFloatBytes * plan.layers * (5 * d + 2 * f);
  bytes.standing += of.floats((shifts ? 3 : 2) * d + (plan.mixes ? d : 0) + of.wider() + 1) + means;
  if (!of.trains) return;
  bytes.standing += of.floats(6 * d + of.wider() + f) + kFloatBytes * d * (of.wider() + 1) +
                    SignBits::bytes(f, of.rows) + (plan.mixes ? 0 : SignBits::bytes(d, of.rows));
}

// ByteLinears: rows of bytes with a scale each, where a linear has its own; and of a norm inside, 1/RMS of each.
int64_t byte_rows(const Counted& of, LinearPlace place) {
  const EnginePlan& plan = of.plan;
  const bool inside = plan.norms.inside[place];
  if (!inside && (place == kKeyLinear || place == kValueLinear || place == kUpLinear)) return 0;
  return kernels::ByteRows::memory(of.rows, plan.inputs(place)) + (inside ? of.floats(1) : 0);
}

void count_linears(const Counted& of, EngineBytes& bytes) {
  const EnginePlan& plan = of.plan;
  if (plan.weights == Weights::floats) return;
  if (plan.weights == Weights::signs) {
    if (of.trains) bytes.standing += of.floats(of.wider()) + kFloatBytes * plan.most_weights();
    return;
  }
  bool inside = false;
  for (uint8_t i = 0; i < kLinears; ++i) {
    const auto place = static_cast<LinearPlace>(i);
    const bool ffn = place == kGateLinear || place == kUpLinear || place == kDownLinear;
    (ffn ? bytes.ffn : bytes.projections) += of.layers * byte_rows(of, place);
    inside |= plan.norms.inside[place];
  }
  bytes.standing += kFloatBytes * (of.wider() + plan.most_weights()) + of.floats(of.wider());
  if (of.trains && inside) bytes.standing += of.floats(of.wider()) + kFloatBytes * of.wider();
}

// SoftmaxLayerRows, and the rest of SoftmaxEngine.
void count_softmax(const Counted& of, EngineBytes& bytes) {
  const EnginePlan& plan = of.plan;
  const int64_t d = plan.d_model, kv = plan.kv_width(), f = plan.d_ff;
  bytes.norms = of.layers * 2 * of.floats(d);
  bytes.projections = of.layers * of.floats(d);  // what o reads
  bytes.attention = of.layers * of.floats(d + 2 * kv + 2 * plan.heads);
  bytes.ffn = of.layers * of.floats(2 * f);
  bytes.standing += of.floats(2 * d + f + 1);
  count_linears(of, bytes);
  if (of.trains) bytes.standing += of.floats(4 * d + 2 * kv + 2 * f) + kFloatBytes * d;
}

}  // namespace

EngineBytes engine_bytes(const EnginePlan& plan, int64_t sequences, int64_t context, bool trains) {
  const Counted of{.plan = plan, .rows = sequences * context, .layers = trains ? plan.layers : 1, .trains = trains};
  EngineBytes bytes;
  bytes.attention = of.layers * of.floats(2 * plan.heads * std::max<int64_t>(1, plan.keys));  // key, score
  bytes.standing = packed_bytes(plan) + head_bytes(plan, of.rows);
  if (trains) bytes.standing += rounding_bytes(plan, of.rows);
  bytes.scratch = scratch_bytes(plan, context);
  if (plan.softmax) {
    count_softmax(of, bytes);
  } else if (plan.residual == Residual::signs) {
    count_strict(of, bytes);
  } else {
    count_alpha(of, bytes);
  }
  return bytes;
}

}  // namespace bitsweep::engine
