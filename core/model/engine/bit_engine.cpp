#include "engine/bit_engine.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/alpha_engine.h"
#include "engine/strict_engine.h"
#include "engine/workers.h"
#include "kernels/alpha_ends.h"
#include "kernels/strict_ends.h"
#include "kernels/table_products.h"

namespace bitsweep::engine {
namespace {

using kernels::kWordBits;
using kernels::SignBits;

bool trained(const LayerTensors& layer) {
  const auto wanted = [](const LinearTensors& linear) {
    return linear.weight.gradient != nullptr || linear.threshold.gradient != nullptr ||
           linear.alpha.gradient != nullptr;
  };
  return layer.attention_norm.gradient != nullptr || layer.ffn_norm.gradient != nullptr ||
         std::any_of(layer.linears.begin(), layer.linears.end(), wanted);
}

std::array<BitWeight, kLinears> weights_of_layer(const EnginePlan& plan) {
  std::array<BitWeight, kLinears> weights;
  for (uint8_t i = 0; i < kLinears; ++i) {
    const auto place = static_cast<LinearPlace>(i);
    weights[place] = BitWeight(plan.outputs(place), plan.inputs(place));
  }
  return weights;
}

}  // namespace

std::string BitEngine::refusal(const EnginePlan& plan) {
  for (const auto& [name, depth] : {std::pair{"d_model", plan.d_model}, {"d_ff", plan.d_ff}})
    if (depth > kernels::kMostBitDepth)
      return fmt::format("{} is {}, and its counts go up to {}", name, depth, kernels::kMostBitDepth);
  return "";
}

std::unique_ptr<BitEngine> BitEngine::make(const EnginePlan& plan, const Workers& workers, Meter* meter) {
  if (plan.residual == Residual::floats) return std::make_unique<AlphaEngine>(plan, workers, meter);
  return std::make_unique<StrictEngine>(plan, workers, meter);
}

BitEngine::BitEngine(const EnginePlan& plan, const Workers& workers, Meter* meter)
    : plan_(plan),
      workers_(workers),
      meter_(meter),
      products_(plan_, workers, meter),
      attention_(plan_, workers, meter),
      head_(plan_, workers, meter) {
  for (int64_t layer = 0; layer < plan.layers; ++layer) weights_.push_back(weights_of_layer(plan));
}

int64_t BitEngine::bytes() const {
  int64_t sum = row_bytes() + products_.bytes() + head_.bytes();
  for (uint8_t i = 0; i < kLinears; ++i) {
    const auto place = static_cast<LinearPlace>(i);
    sum += plan_.layers * BitWeight::bytes(plan_.outputs(place), plan_.inputs(place));
  }
  return sum;
}

void BitEngine::pack(const StepTensors& tensors, bool trains) {
  const Metered metered(meter_, "other", false, Work::integers);
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
  head_.pack(tensors, trains);
}

// Rows of another kind or number than there are come anew; of fewer, the first are taken.
void BitEngine::reserve(const StepPass& pass, bool trains) {
  if (pass.rows() <= reserved_rows_ && (!trains || trains_)) return;
  trains_ |= trains;
  reserved_rows_ = std::max(reserved_rows_, pass.rows());
  allocate(reserved_rows_, trains_);
  head_.reserve(reserved_rows_);
  if (trains_) products_.reserve(reserved_rows_);
}

void BitEngine::score(const StepTensors& tensors, const StepPass& pass, float* nats, int64_t* likeliest) {
  reserve(pass, /*trains=*/false);
  attention_.begin(pass);
  forward(tensors, pass);
  const auto of_rows = [&](int64_t first, int64_t rows, float* out) { dots(first, rows, out); };
  head_.score(tensors, pass, of_rows, nats, likeliest);
}

double BitEngine::train(const StepTensors& tensors, const StepPass& pass, float weight) {
  reserve(pass, /*trains=*/true);
  attention_.begin(pass);
  forward(tensors, pass);
  const auto of_rows = [&](int64_t first, int64_t rows, float* out) { dots(first, rows, out); };
  const auto backward = [&](int64_t first, int64_t rows, const float* gradient, bool add) {
    head_backward(tensors, pass, products_.gradient(pass, weights_.size(), kLinears, gradient, first, rows), add);
  };
  const double nats = head_.train(tensors, pass, weight, of_rows, backward);
  residual_backward(tensors, pass);
  layers_backward(tensors, pass);
  return nats;
}

void BitEngine::layers_backward(const StepTensors& tensors, const StepPass& pass) {
  // Down to the first tensor that is trained.
  size_t first = 0;
  if (tensors.embedding.gradient == nullptr)
    while (first < tensors.layers.size() && !trained(tensors.layers[first])) ++first;
  for (size_t layer = tensors.layers.size(); layer > first; --layer) layer_backward(tensors, pass, layer - 1);
  if (tensors.embedding.gradient == nullptr) return;
  const Metered metered(meter_, "embedding", true, Work::floats);
  float* table = tensors.embedding.gradient;
  if (!tensors.add) {
    const int64_t count = plan_.vocab * plan_.d_model;
    in_ranges(workers_, count, kLineFloats, count,
              [&](int64_t begin, int64_t end) { std::fill(table + begin, table + end, 0.0f); });
  }
  in_ranges(workers_, plan_.d_model, kLineFloats, pass.rows() * plan_.d_model, [&](int64_t begin, int64_t end) {
    kernels::scatter_rows(residual_gradient(), pass.tokens, pass.rows(), plan_.d_model, table, begin, end);
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
