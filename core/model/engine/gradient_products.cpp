#include "engine/gradient_products.h"

#include "base/rng.h"
#include "engine/head_part.h"
#include "engine/workers.h"
#include "kernels/table_products.h"

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

GradientProducts::GradientProducts(const EnginePlan& plan, const Workers& workers, Meter* meter)
    : plan_(plan), workers_(workers), meter_(meter), kind_(plan.rounding) {}

void GradientProducts::round(std::optional<kernels::QuantizedKind> kind) {
  if (kind_ == kind) return;
  kind_ = kind;
  rounded_ = {};
  inputs_ = {};
  weight_ = {};
  if (reserved_rows_ > 0) reserve(reserved_rows_);
}

void GradientProducts::reserve(int64_t rows) {
  reserved_rows_ = rows;
  if (!kind_) return;
  const auto linear = [&](int64_t count, int64_t outputs, int64_t columns, bool signs) {
    rounded_.shape(*kind_, count, outputs);
    weight_.shape(*kind_, outputs, columns);
    if (!signs) return;
    rounded_.shape(*kind_, outputs, count);
    inputs_.shape(*kind_, count, columns);
  };
  for (uint8_t i = 0; i < kLinears; ++i) {
    const auto place = static_cast<LinearPlace>(i);
    linear(rows, plan_.outputs(place), plan_.inputs(place), plan_.reads_signs(place));
  }
  linear(logit_part_rows(plan_, rows), plan_.vocab, plan_.d_model, plan_.residual == Residual::signs);
}

// Every matrix that is rounded has a key of its own, a function of the pass's and of where in it the matrix stands.
OutputGradient GradientProducts::gradient(const StepPass& pass, size_t layer, uint8_t place, const float* values,
                                          int64_t first_row, int64_t rows) const {
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

void GradientProducts::weight(const OutputGradient& dy, const SignBits& transposed, float* gradient, bool add) {
  if (kind_) return rounded_weight(dy, gradient, add);
  const int64_t inputs = transposed.rows(), products = dy.rows * inputs * dy.outputs;
  const Metered metered(meter_, dy.block, true, Work::products, products);
  in_ranges(workers_, dy.outputs, kernels::kWideRows, products / kTableProducts, [&](int64_t first, int64_t last) {
    kernels::table_product_rows({.a = {dy.values, 1, dy.outputs},
                                 .index = &transposed,
                                 .index_term = dy.first_row,
                                 .terms = dy.rows,
                                 .columns = inputs,
                                 .c = gradient,
                                 .c_step = inputs,
                                 .add = add},
                                first, last);
  });
}

void GradientProducts::weight(const OutputGradient& dy, const float* x, int64_t inputs, float* gradient,
                              bool add) const {
  multiply(dy.block, /*backward=*/true,
           {.a = {dy.values, 1, dy.outputs},
            .b = {x, 1, inputs},
            .terms = dy.rows,
            .columns = inputs,
            .c = gradient,
            .c_step = inputs,
            .add = add},
           dy.outputs);
}

void GradientProducts::multiply(const char* block, bool backward, const kernels::FloatProduct& product,
                                int64_t rows) const {
  const int64_t products = rows * product.terms * product.columns;
  const Metered metered(meter_, block, backward, Work::products, products);
  in_ranges(workers_, rows, kernels::kFloatTileRows, products / kFloatProducts,
            [&](int64_t first, int64_t last) { kernels::float_product_rows(product, first, last); });
}

void GradientProducts::input(const OutputGradient& dy, const BitWeight& weight, float* dx, bool add) {
  if (kind_) return rounded_input(dy, weight, dx, add);
  const int64_t inputs = weight.rows().columns(), products = dy.rows * inputs * dy.outputs;
  const Metered metered(meter_, dy.block, true, Work::products, products);
  in_ranges(workers_, dy.rows, kernels::kWideRows, products / kTableProducts, [&](int64_t first, int64_t last) {
    kernels::table_product_rows({.a = {dy.values, dy.outputs, 1},
                                 .index = &weight.transposed(),
                                 .terms = dy.outputs,
                                 .columns = inputs,
                                 .c = dx,
                                 .c_step = inputs,
                                 .add = add},
                                first, last);
  });
}

void GradientProducts::index_inputs(const char* block, const SignBits& transposed, int64_t first_row, int64_t rows) {
  if (!kind_) return;
  const Metered metered(meter_, block, true, Work::integers);
  inputs_.shape(*kind_, rows, transposed.rows());
  fill_index(workers_, transposed, first_row, inputs_);
}

void GradientProducts::rounded_weight(const OutputGradient& dy, float* gradient, bool add) {
  rounded_.shape(*kind_, dy.outputs, dy.rows);
  rounded_product(dy.block, {dy.values, 1, dy.outputs}, dy.weight_key, inputs_, gradient, add);
}

void GradientProducts::rounded_input(const OutputGradient& dy, const BitWeight& weight, float* dx, bool add) {
  {
    const Metered metered(meter_, dy.block, true, Work::integers);
    weight_.shape(*kind_, dy.outputs, weight.rows().columns());
    fill_index(workers_, weight.transposed(), 0, weight_);
  }
  rounded_.shape(*kind_, dy.rows, dy.outputs);
  rounded_product(dy.block, {dy.values, dy.outputs, 1}, dy.input_key, weight_, dx, add);
}

// Of the shape that rounded_ has.
void GradientProducts::rounded_product(const char* block, const kernels::FloatRows& a, uint64_t key,
                                       const QuantizedIndex& index, float* c, bool add) {
  {
    const Metered metered(meter_, block, true, Work::floats);
    in_ranges(workers_, rounded_.rows(), kRoundedRows, rounded_.rows() * rounded_.depth(),
              [&](int64_t first, int64_t last) { kernels::round_rows(a, key, rounded_, first, last); });
  }
  const int64_t products = rounded_.rows() * rounded_.depth() * index.columns();
  const Metered metered(meter_, block, true, Work::integers, products);
  in_ranges(workers_, rounded_.rows(), kernels::kQuantizedRows, products / kRoundedProducts,
            [&](int64_t first, int64_t last) {
              kernels::quantized_product_rows(
                  {.a = &rounded_, .index = &index, .c = c, .c_step = index.columns(), .add = add}, first, last);
            });
}

}  // namespace bitsweep::engine
