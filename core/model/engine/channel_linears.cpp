#include "engine/channel_linears.h"

#include <algorithm>

#include "kernels/alpha_ends.h"
#include "kernels/cpu_kernels.h"
#include "kernels/strict_ends.h"
#include "kernels/table_products.h"

namespace bitsweep::engine {

ChannelLinears::ChannelLinears(const EnginePlan& plan, const Workers& workers, Meter* meter, GradientProducts& products)
    : LinearPart(plan, workers, meter, products), packed_(static_cast<size_t>(plan.layers)) {
  for (auto& of_layer : packed_)
    for (uint8_t i = 0; i < kLinears; ++i) {
      const auto place = static_cast<LinearPlace>(i);
      of_layer[i] = {BitWeight(plan.outputs(place), plan.inputs(place)), kernels::Buffer<float>(plan.outputs(place))};
    }
}

void ChannelLinears::reserve(int64_t rows, bool trains) {
  if (!trains) return;
  product_ = kernels::Buffer<float>(plan_.most_weights());
  scaled_ = kernels::Buffer<float>(rows * plan_.widest());
}

int64_t ChannelLinears::bytes() const {
  int64_t sum = product_.bytes() + scaled_.bytes();
  for (uint8_t i = 0; i < kLinears; ++i) {
    const auto place = static_cast<LinearPlace>(i);
    const int64_t outputs = plan_.outputs(place);
    sum +=
        plan_.layers * (BitWeight::bytes(outputs, plan_.inputs(place)) + outputs * static_cast<int64_t>(sizeof(float)));
  }
  return sum;
}

void ChannelLinears::pack(const StepTensors& tensors, bool trains) {
  const int64_t linears = plan_.layers * kLinears;
  in_ranges(workers_, linears, 1, plan_.layers * plan_.layer_weights(), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const LinearAt at{static_cast<size_t>(i / kLinears), static_cast<LinearPlace>(i % kLinears)};
      const LinearTensors& linear = tensors_of(tensors, at);
      Packed& packed = packed_[at.layer][at.place];
      packed.signs.pack(linear.weight.values, /*transposes=*/trains, workers_);
      if (linear.alpha.values == nullptr)
        kernels::mean_magnitudes(linear.weight.values.latents, plan_.inputs(at.place), packed.means.data(), 0,
                                 plan_.outputs(at.place));
    }
  });
}

const float* ChannelLinears::scales_of(const StepTensors& tensors, LinearAt at) const {
  const float* learned = tensors_of(tensors, at).alpha.values;
  return learned != nullptr ? learned : packed(at).means.data();
}

void ChannelLinears::forward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x, float* y) {
  const int64_t inputs = plan_.inputs(at.place), outputs = plan_.outputs(at.place);
  const int64_t products = pass.rows() * inputs * outputs;
  const Metered metered(meter_, at.block(), false, Work::products, products);
  in_ranges(workers_, pass.rows(), kernels::kWideRows, products / kTableProducts, [&](int64_t first, int64_t last) {
    kernels::table_product_rows({.a = {x, inputs, 1},
                                 .index = &packed(at).signs.rows(),
                                 .terms = inputs,
                                 .columns = outputs,
                                 .c = y,
                                 .c_step = outputs},
                                first, last);
    kernels::linear_end_rows(y + first * outputs, scales_of(tensors, at), tensors_of(tensors, at).threshold.values,
                             /*inside=*/nullptr, /*sign=*/false, last - first, outputs);
  });
}

void ChannelLinears::weight_backward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x,
                                     const float* dy) {
  const LinearTensors& linear = tensors_of(tensors, at);
  if (linear.weight.gradient == nullptr && linear.alpha.gradient == nullptr) return;
  const int64_t inputs = plan_.inputs(at.place), outputs = plan_.outputs(at.place);
  products_.weight(products_.gradient(pass, at.layer, at.place, dy, 0, pass.rows()), x, inputs, product_.data(),
                   /*add=*/false);
  const Metered metered(meter_, at.block(), true, Work::floats);
  const kernels::ChannelWeight weight{.product = product_.data(),
                                      .weight = linear.weight.values.latents,
                                      .alpha = scales_of(tensors, at),
                                      .follows = linear.alpha.values == nullptr,
                                      .gradient = linear.weight.gradient,
                                      .alpha_gradient = linear.alpha.gradient,
                                      .add = tensors.add,
                                      .inputs = inputs};
  in_ranges(workers_, outputs, 1, 2 * outputs * inputs,
            [&](int64_t first, int64_t last) { kernels::channel_weight_backward(weight, first, last); });
}

// The threshold's, and scaled_.
void ChannelLinears::scale_gradient(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* dy) {
  const Metered metered(meter_, at.block(), true, Work::floats);
  const int64_t outputs = plan_.outputs(at.place), rows = pass.rows();
  const kernels::EndBackward end{.gradient = dy,
                                 .out = scaled_.data(),
                                 .threshold = tensors_of(tensors, at).threshold.gradient,
                                 .add = tensors.add,
                                 .rows = rows,
                                 .columns = outputs};
  const int64_t words = (outputs + kernels::kWordBits - 1) / kernels::kWordBits;
  in_ranges(workers_, words, 1, rows * outputs,
            [&](int64_t first, int64_t last) { kernels::end_backward_words(end, first, last); });
  in_ranges(workers_, rows, 1, rows * outputs, [&](int64_t first, int64_t last) {
    kernels::scale_columns(scaled_.at(first * outputs), scales_of(tensors, at), last - first, outputs);
  });
}

void ChannelLinears::backward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x,
                              const float* dy, float* dx, bool add) {
  weight_backward(tensors, pass, at, x, dy);
  scale_gradient(tensors, pass, at, dy);
  products_.input(products_.gradient(pass, at.layer, at.place, scaled_.data(), 0, pass.rows()), packed(at).signs, dx,
                  add);
}

}  // namespace bitsweep::engine
