#include "base/rng.h"
#include "engine/strict_engine.h"

namespace bitsweep::engine {
namespace {

using kernels::kIndexColumns;
using kernels::QuantizedIndex;
using kernels::SignBits;

// Where threads are cut: rows that lie by columns are rounded by panels of so many.
constexpr int64_t kRoundedRows = 64;

// In steps of workers.h: of a word of an index; and how many products of integers one is.
constexpr int64_t kFillWork = 16, kRoundedProducts = 64;

void fill_index(const Workers& workers, const SignBits& transposed, int64_t first_term, QuantizedIndex& index) {
  in_ranges(workers, index.columns(), kIndexColumns, index.columns() * transposed.words() * kFillWork,
            [&](int64_t first, int64_t last) { index.fill(transposed, first, last, first_term); });
}

}  // namespace

// Every matrix that is rounded has a key of its own, a function of the pass's and of where in it the matrix stands.
StrictEngine::OutputGradient StrictEngine::output_gradient(const StrictPass& pass, size_t layer, uint8_t place,
                                                           const float* values, int64_t first_row, int64_t rows) const {
  const bool head = place == kLinears;
  const auto key = [&](uint64_t product) {
    return random_bits(pass.rounding_key, static_cast<uint64_t>(first_row), 2 * (layer * kLinears + place) + product);
  };
  return {.block = head ? "head" : block_of(static_cast<LinearPlace>(place)),
          .values = values,
          .rows = rows,
          .outputs = head ? plan_.vocab : plan_.outputs(static_cast<LinearPlace>(place)),
          .first_row = first_row,
          .weight_key = key(0),
          .input_key = key(1)};
}

void StrictEngine::index_inputs(const char* block, const SignBits& transposed, int64_t first_row, int64_t rows) {
  if (!plan_.rounding) return;
  const Metered metered(meter_, block, true, Work::integers);
  QuantizedIndex& index = gradients_.rounded.inputs;
  index.shape(*plan_.rounding, rows, transposed.rows());
  fill_index(workers_, transposed, first_row, index);
}

void StrictEngine::rounded_weight_backward(const OutputGradient& dy, float* gradient, bool add) {
  gradients_.rounded.rows.shape(*plan_.rounding, dy.outputs, dy.rows);
  rounded_product(dy.block, {dy.values, 1, dy.outputs}, dy.weight_key, gradients_.rounded.inputs, gradient, add);
}

void StrictEngine::rounded_input_backward(const OutputGradient& dy, const BitWeight& weight, float* dx, bool add) {
  QuantizedIndex& index = gradients_.rounded.weight;
  {
    const Metered metered(meter_, dy.block, true, Work::integers);
    index.shape(*plan_.rounding, dy.outputs, weight.rows().columns());
    fill_index(workers_, weight.transposed(), 0, index);
  }
  gradients_.rounded.rows.shape(*plan_.rounding, dy.rows, dy.outputs);
  rounded_product(dy.block, {dy.values, dy.outputs, 1}, dy.input_key, index, dx, add);
}

// Of the shape that gradients_.rounded.rows has.
void StrictEngine::rounded_product(const char* block, const kernels::FloatRows& a, uint64_t key,
                                   const QuantizedIndex& index, float* c, bool add) {
  kernels::QuantizedRows& rounded = gradients_.rounded.rows;
  {
    const Metered metered(meter_, block, true, Work::floats);
    in_ranges(workers_, rounded.rows(), kRoundedRows, rounded.rows() * rounded.depth(),
              [&](int64_t first, int64_t last) { kernels::quantize_rows(a, key, rounded, first, last); });
  }
  const int64_t products = rounded.rows() * rounded.depth() * index.columns();
  const Metered metered(meter_, block, true, Work::integers, products);
  in_ranges(workers_, rounded.rows(), kernels::kQuantizedRows, products / kRoundedProducts,
            [&](int64_t first, int64_t last) {
              kernels::quantized_product_rows(
                  {.a = &rounded, .index = &index, .c = c, .c_step = index.columns(), .add = add}, first, last);
            });
}

}  // namespace bitsweep::engine
