#include "engine/bit_engine.h"

#include "engine/workers.h"
#include "kernels/alpha_ends.h"
#include "kernels/strict_ends.h"
#include "kernels/table_products.h"

namespace bitsweep::engine {
namespace {

using kernels::kWordBits;
using kernels::SignBits;

std::array<BitWeight, kLinears> weights_of_layer(const EnginePlan& plan) {
  std::array<BitWeight, kLinears> weights;
  for (uint8_t i = 0; i < kLinears; ++i) {
    const auto place = static_cast<LinearPlace>(i);
    weights[place] = BitWeight(plan.outputs(place), plan.inputs(place));
  }
  return weights;
}

}  // namespace

BitEngine::BitEngine(const EnginePlan& plan, const Workers& workers, Meter* meter)
    : Engine(plan, workers, meter), attention_(plan_, workers, meter) {
  for (int64_t layer = 0; layer < plan.layers; ++layer) weights_.push_back(weights_of_layer(plan));
}

int64_t BitEngine::held_bytes() const {
  int64_t sum = row_bytes();
  for (uint8_t i = 0; i < kLinears; ++i) {
    const auto place = static_cast<LinearPlace>(i);
    sum += plan_.layers * BitWeight::bytes(plan_.outputs(place), plan_.inputs(place));
  }
  return sum;
}

void BitEngine::pack_layers(const StepTensors& tensors, bool trains) {
  // A linear a part: many are small.
  const int64_t linears = plan_.layers * kLinears;
  in_ranges(workers_, linears, 1, plan_.layers * plan_.layer_weights(), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const auto layer = static_cast<size_t>(i / kLinears);
      const auto place = static_cast<LinearPlace>(i % kLinears);
      const LinearTensors& linear = tensors.layers[layer].linears[place];
      weights_[layer][place].pack(linear.weight.values, /*transposes=*/trains, workers_);
      pack_linear(linear, layer, place);
    }
  });
}

void BitEngine::look_up_signs(const StepTensors& tensors, const StepPass& pass, size_t layer, LinearPlace place,
                              const float* in, const float* scales, float* sums, SignBits& sign,
                              SignBits* inside) const {
  const int64_t inputs = plan_.inputs(place), outputs = plan_.outputs(place);
  const int64_t products = pass.rows() * inputs * outputs;
  const Metered metered(meter_, block_of(place), false, Work::products, products);
  const kernels::ChannelEnd end{
      .alpha = scales, .threshold = tensors.layers[layer].linears[place].threshold.values, .columns = outputs};
  in_ranges(workers_, pass.rows(), kernels::kWideRows, products / kTableProducts, [&](int64_t first, int64_t last) {
    kernels::table_product_rows({.a = {in, inputs, 1},
                                 .index = &weight(layer, place).rows(),
                                 .terms = inputs,
                                 .columns = outputs,
                                 .c = sums,
                                 .c_step = outputs},
                                first, last);
    kernels::end_signs(end, sums + first * outputs, sign, inside, first, last);
  });
}

void BitEngine::end_backward(const StepTensors& tensors, const StepPass& pass, size_t layer, LinearPlace place,
                             const float* gradient, const SignBits* inside, const SignBits* factor, float scale,
                             float* out) const {
  const Metered metered(meter_, block_of(place), true, Work::floats);
  const kernels::EndBackward end{.gradient = gradient,
                                 .inside = inside,
                                 .factor = factor,
                                 .scale = scale,
                                 .out = out,
                                 .threshold = tensors.layers[layer].linears[place].threshold.gradient,
                                 .add = tensors.add,
                                 .rows = pass.rows(),
                                 .columns = plan_.outputs(place)};
  const int64_t words = (end.columns + kWordBits - 1) / kWordBits;
  in_ranges(workers_, words, 1, end.rows * end.columns,
            [&](int64_t first, int64_t last) { kernels::end_backward_words(end, first, last); });
}

void BitEngine::transpose_rows(const char* block, const StepPass& pass, const SignBits& in, SignBits& out) const {
  const Metered metered(meter_, block, true, Work::integers);
  constexpr int64_t kTransposeWork = 8;  // of a word
  in_ranges(workers_, pass.rows(), kWordBits, word_work(in) * kTransposeWork,
            [&](int64_t first, int64_t last) { kernels::transpose_signs(in, out, first, last); });
}

}  // namespace bitsweep::engine
