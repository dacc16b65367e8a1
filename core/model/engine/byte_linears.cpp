#include "engine/byte_linears.h"

#include <algorithm>

#include "kernels/alpha_ends.h"
#include "kernels/cpu_kernels.h"
#include "kernels/float_ends.h"
#include "kernels/table_products.h"

namespace bitsweep::engine {
namespace {

using kernels::kCodeColumns;

constexpr float kLeastTernaryScale = 1e-5f;  // nn/quant_linear.h
// In steps of workers.h: of a number that becomes a byte.
constexpr int64_t kByteWork = 4;
constexpr int64_t kByteProducts = 64;

bool any_inside(const EnginePlan& plan) {
  return std::any_of(plan.norms.inside.begin(), plan.norms.inside.end(), [](bool inside) { return inside; });
}

}  // namespace

ByteLinears::ByteLinears(const EnginePlan& plan, const Workers& workers, Meter* meter, GradientProducts& products)
    : LinearPart(plan, workers, meter, products),
      coded_(static_cast<size_t>(plan.layers)),
      row_means_(plan.widest()),
      weight_(plan.most_weights()) {
  for (auto& of_layer : coded_)
    for (uint8_t i = 0; i < kLinears; ++i) {
      const auto place = static_cast<LinearPlace>(i);
      of_layer[i].codes = kernels::CodeMatrix(plan.outputs(place), plan.inputs(place));
      if (binary()) {
        of_layer[i].signs = BitWeight(plan.outputs(place), plan.inputs(place));
      } else {
        of_layer[i].index = kernels::TernaryIndex(plan.outputs(place), plan.inputs(place));
      }
    }
}

LinearPlace ByteLinears::reads_of(LinearPlace place) const {
  if (normed(place)) return place;
  if (place == kKeyLinear || place == kValueLinear) return kQueryLinear;
  return place == kUpLinear ? kGateLinear : place;
}

void ByteLinears::reserve(int64_t rows, bool trains) {
  rows_.clear();
  rows_.resize(static_cast<size_t>(trains ? plan_.layers : 1));
  for (auto& of_layer : rows_)
    for (uint8_t i = 0; i < kLinears; ++i) {
      const auto place = static_cast<LinearPlace>(i);
      if (reads_of(place) != place) continue;
      of_layer[i] = {kernels::ByteRows(rows, plan_.inputs(place)), kernels::Buffer<float>(normed(place) ? rows : 0)};
    }
  values_ = kernels::Buffer<float>(rows * plan_.widest());
  inner_ = kernels::Buffer<float>(trains && any_inside(plan_) ? rows * plan_.widest() : 0);
  gain_sums_ = kernels::Buffer<float>(trains && any_inside(plan_) ? plan_.widest() : 0);
}

int64_t ByteLinears::bytes() const {
  int64_t sum = row_means_.bytes() + weight_.bytes() + values_.bytes() + inner_.bytes() + gain_sums_.bytes();
  for (const auto& of_layer : coded_)
    for (const Coded& coded : of_layer) {
      sum += coded.codes.allocated();
      sum += binary() ? BitWeight::bytes(coded.codes.outputs(), coded.codes.terms()) : coded.index.allocated();
    }
  for (const auto& of_layer : rows_)
    for (const Rows& rows : of_layer) sum += rows.bytes.allocated() + rows.inverse.bytes();
  return sum;
}

void ByteLinears::pack(const StepTensors& tensors, bool trains) {
  for (size_t layer = 0; layer < coded_.size(); ++layer)
    for (uint8_t i = 0; i < kLinears; ++i) {
      const LinearAt at{layer, static_cast<LinearPlace>(i)};
      pack_linear(tensors_of(tensors, at), at, trains);
    }
}

void ByteLinears::pack_linear(const LinearTensors& linear, LinearAt at, bool trains) {
  const int64_t inputs = plan_.inputs(at.place), outputs = plan_.outputs(at.place), count = inputs * outputs;
  const float* w = linear.weight.values.latents;
  Coded& coded = coded_[at.layer][at.place];
  in_ranges(workers_, outputs, 1, count,
            [&](int64_t first, int64_t last) { kernels::mean_magnitudes(w, inputs, row_means_.data(), first, last); });
  coded.scale = kernels::mean_of(row_means_.data(), outputs);
  float mean = 0;
  if (binary()) {
    in_ranges(workers_, outputs, 1, count, [&](int64_t first, int64_t last) {
      kernels::row_means(w + first * inputs, inputs, row_means_.at(first), last - first);
    });
    mean = kernels::mean_of(row_means_.data(), outputs);
  } else {
    coded.scale = coded.scale < kLeastTernaryScale ? kLeastTernaryScale : coded.scale;
  }
  in_ranges(workers_, outputs, kCodeColumns, 4 * count, [&](int64_t first, int64_t last) {
    float* codes = weight_.at(first * inputs);
    if (binary()) {
      kernels::binary_range(w + first * inputs, codes, (last - first) * inputs, mean);
    } else {
      kernels::ternary_range(w + first * inputs, codes, (last - first) * inputs, 1.0f / coded.scale);
    }
    coded.codes.fill(weight_.data(), first, last);
  });
  if (!trains) return;
  if (binary()) return coded.signs.pack({.latents = weight_.data()}, /*transposes=*/true, workers_);
  in_ranges(workers_, outputs, kernels::kTernaryWordTerms, count,
            [&](int64_t first, int64_t last) { coded.index.fill(weight_.data(), first, last); });
}

// The bytes of x, or of its norm.
void ByteLinears::code(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x) {
  Rows& rows = rows_of(at);
  const int64_t d = plan_.inputs(at.place);
  if (normed(at.place)) {
    const Metered metered(meter_, "norm", false, Work::floats);
    const float* gain = tensors_of(tensors, at).gain.values;
    in_ranges(workers_, pass.rows(), 1, 2 * pass.rows() * d, [&](int64_t first, int64_t last) {
      float* values = values_.at(first * d);
      const float* from = x + first * d;
      if (binary()) kernels::centre_rows(from, values, last - first, d);
      kernels::rms_norm_rows(binary() ? values : from, gain, values, rows.inverse.at(first), last - first, d,
                             plan_.norm_epsilon);
    });
    x = values_.data();
  }
  const Metered metered(meter_, at.block(), false, Work::floats);
  in_ranges(workers_, pass.rows(), 1, pass.rows() * d * kByteWork, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r)
      kernels::quantize_rows(x + r * d, values_.at(r * d), rows.bytes.row(r), rows.bytes.scales() + r, 1, d);
  });
}

void ByteLinears::forward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x, float* y) {
  if (reads_of(at.place) == at.place) code(tensors, pass, at, x);
  const int64_t outputs = plan_.outputs(at.place), products = pass.rows() * plan_.inputs(at.place) * outputs;
  const Metered metered(meter_, at.block(), false, Work::integers, products);
  in_ranges(workers_, pass.rows(), kernels::kByteTileRows, products / kByteProducts, [&](int64_t first, int64_t last) {
    kernels::byte_product_rows(
        {.rows = &rows_of(at).bytes, .codes = &coded(at).codes, .scale = coded(at).scale, .c = y, .c_step = outputs},
        first, last);
  });
}

void ByteLinears::weight_backward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* dy) {
  const TrainedSigns& weight = tensors_of(tensors, at).weight;
  if (weight.gradient == nullptr) return;
  const kernels::ByteRows& bytes = rows_of(at).bytes;
  const int64_t d = plan_.inputs(at.place);
  {
    const Metered metered(meter_, at.block(), true, Work::floats);
    in_ranges(workers_, pass.rows(), 1, pass.rows() * d, [&](int64_t first, int64_t last) {
      for (int64_t r = first; r < last; ++r)
        kernels::widen_bytes(bytes.row(r), values_.at(r * d), d, bytes.scales()[r]);
    });
  }
  products_.weight(products_.gradient(pass, at.layer, at.place, dy, 0, pass.rows()), values_.data(), d, weight.gradient,
                   tensors.add);
}

void ByteLinears::input_backward(const StepPass& pass, LinearAt at, const float* dy, float* dx, bool add) {
  const int64_t inputs = plan_.inputs(at.place), outputs = plan_.outputs(at.place);
  const int64_t products = pass.rows() * inputs * outputs;
  const Metered metered(meter_, at.block(), true, Work::products, products);
  const kernels::FloatRows scaled{values_.data(), outputs, 1};
  const kernels::TableProduct of_signs{.a = scaled,
                                       .index = &coded(at).signs.transposed(),
                                       .terms = outputs,
                                       .columns = inputs,
                                       .c = dx,
                                       .c_step = inputs,
                                       .add = add};
  const kernels::TernaryProduct of_codes{.a = scaled, .index = &coded(at).index, .c = dx, .c_step = inputs, .add = add};
  static_assert(kernels::kTernaryRows == kernels::kWideRows);
  in_ranges(workers_, pass.rows(), kernels::kWideRows, products / kTableProducts, [&](int64_t first, int64_t last) {
    kernels::scale_range(dy + first * outputs, values_.at(first * outputs), (last - first) * outputs, coded(at).scale);
    if (binary()) {
      kernels::table_product_rows(of_signs, first, last);
    } else {
      kernels::ternary_product_rows(of_codes, first, last);
    }
  });
}

// From inner_, the gradient of what the norm inside gives.
void ByteLinears::norm_backward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x,
                                float* dx, bool add) {
  const Metered metered(meter_, "norm", true, Work::floats);
  const int64_t d = plan_.inputs(at.place), rows = pass.rows();
  const TrainedFloats& gain = tensors_of(tensors, at).gain;
  const float* inverse = rows_of(at).inverse.data();
  float* inner = inner_.data();
  if (binary()) {
    in_ranges(workers_, rows, 1, rows * d, [&](int64_t first, int64_t last) {
      kernels::centre_rows(x + first * d, values_.at(first * d), last - first, d);
    });
    x = values_.data();
  }
  if (gain.gradient != nullptr) {
    in_ranges(workers_, d, kLineFloats, 2 * rows * d, [&](int64_t first, int64_t last) {
      float* sums = tensors.add ? gain_sums_.data() : gain.gradient;
      kernels::rms_norm_backward_gamma(x, inverse, inner, sums, rows, d, first, last);
      if (tensors.add) kernels::add_floats(sums + first, gain.gradient + first, last - first);
    });
  }
  in_ranges(workers_, rows, 1, 3 * rows * d, [&](int64_t first, int64_t last) {
    const int64_t from = first * d;
    float* into = add ? inner + from : dx + from;
    kernels::rms_norm_backward_rows(x + from, gain.values, inverse + first, inner + from, into, last - first, d);
    if (binary()) kernels::centre_rows(into, into, last - first, d);
    if (add) kernels::add_floats(into, dx + from, (last - first) * d);
  });
}

void ByteLinears::backward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x,
                           const float* dy, float* dx, bool add) {
  weight_backward(tensors, pass, at, dy);
  if (!normed(at.place)) return input_backward(pass, at, dy, dx, add);
  input_backward(pass, at, dy, inner_.data(), /*add=*/false);
  norm_backward(tensors, pass, at, x, dx, add);
}

}  // namespace bitsweep::engine
