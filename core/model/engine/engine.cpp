#include "engine/engine.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "engine/alpha_engine.h"
#include "engine/softmax_engine.h"
#include "engine/strict_engine.h"
#include "engine/workers.h"
#include "kernels/byte_products.h"
#include "kernels/strict_ends.h"

namespace bitsweep::engine {
namespace {

bool trained(const LayerTensors& layer) {
  const auto wanted = [](const LinearTensors& linear) {
    return linear.weight.gradient != nullptr || linear.threshold.gradient != nullptr ||
           linear.alpha.gradient != nullptr || linear.gain.gradient != nullptr;
  };
  return layer.attention_norm.gradient != nullptr || layer.ffn_norm.gradient != nullptr ||
         std::any_of(layer.linears.begin(), layer.linears.end(), wanted);
}

// Of a linear's inputs, so that its sums hold.
int64_t most_inputs(const EnginePlan& plan) {
  if (!plan.softmax) return kernels::kMostBitDepth;
  const bool bytes = plan.weights == Weights::ternary || plan.weights == Weights::binary;
  return bytes ? kernels::kMostByteTerms : std::numeric_limits<int64_t>::max();
}

}  // namespace

std::string Engine::refusal(const EnginePlan& plan) {
  for (const auto& [name, depth] : {std::pair{"d_model", plan.d_model}, {"d_ff", plan.d_ff}})
    if (depth > most_inputs(plan))
      return fmt::format("{} is {}, and its counts go up to {}", name, depth, most_inputs(plan));
  return "";
}

std::unique_ptr<Engine> Engine::make(const EnginePlan& plan, const Workers& workers, Meter* meter) {
  if (plan.softmax) return std::make_unique<SoftmaxEngine>(plan, workers, meter);
  if (plan.residual == Residual::floats) return std::make_unique<AlphaEngine>(plan, workers, meter);
  return std::make_unique<StrictEngine>(plan, workers, meter);
}

Engine::Engine(const EnginePlan& plan, const Workers& workers, Meter* meter)
    : plan_(plan), workers_(workers), meter_(meter), products_(plan_, workers, meter), head_(plan_, workers, meter) {}

void Engine::pack(const StepTensors& tensors, bool trains) {
  const Metered metered(meter_, "other", false, Work::integers);
  pack_layers(tensors, trains);
  head_.pack(tensors, trains);
}

// Rows of another kind or number than there are come anew; of fewer, the first are taken.
void Engine::reserve(const StepPass& pass, bool trains) {
  if (pass.rows() <= reserved_rows_ && (!trains || trains_)) return;
  const int64_t rows = std::max(reserved_rows_, pass.rows());
  trains |= trains_;
  reserved_rows_ = 0;  // until all is there
  allocate(rows, trains);
  head_.reserve(rows);
  if (trains) products_.reserve(rows);
  trains_ = trains;
  reserved_rows_ = rows;
}

void Engine::score(const StepTensors& tensors, const StepPass& pass, float* nats, int64_t* likeliest) {
  reserve(pass, /*trains=*/false);
  forward(tensors, pass);
  const auto of_rows = [&](int64_t first, int64_t rows, float* out) { dots(tensors, first, rows, out); };
  head_.score(tensors, pass, of_rows, nats, likeliest);
}

double Engine::train(const StepTensors& tensors, const StepPass& pass, float weight) {
  reserve(pass, /*trains=*/true);
  forward(tensors, pass);
  const auto of_rows = [&](int64_t first, int64_t rows, float* out) { dots(tensors, first, rows, out); };
  const auto backward = [&](int64_t first, int64_t rows, const float* gradient, bool add) {
    head_backward(tensors, pass, products_.gradient(pass, tensors.layers.size(), kLinears, gradient, first, rows), add);
  };
  const double nats = head_.train(tensors, pass, weight, of_rows, backward);
  residual_backward(tensors, pass);
  layers_backward(tensors, pass);
  return nats;
}

void Engine::layers_backward(const StepTensors& tensors, const StepPass& pass) {
  // Down to the first tensor that is trained.
  size_t first = 0;
  if (tensors.embedding.gradient == nullptr)
    while (first < tensors.layers.size() && !trained(tensors.layers[first])) ++first;
  for (size_t layer = tensors.layers.size(); layer > first; --layer) layer_backward(tensors, pass, layer - 1);
  if (tensors.embedding.gradient == nullptr) return;
  const Metered metered(meter_, "embedding", true, Work::floats);
  float* table = tensors.embedding.gradient;
  if (!tensors.add && table != tensors.codebook.gradient) {
    const int64_t count = plan_.vocab * plan_.d_model;
    in_ranges(workers_, count, kLineFloats, count,
              [&](int64_t begin, int64_t end) { std::fill(table + begin, table + end, 0.0f); });
  }
  in_ranges(workers_, plan_.d_model, kLineFloats, pass.rows() * plan_.d_model, [&](int64_t begin, int64_t end) {
    kernels::scatter_rows(residual_gradient(), pass.tokens, pass.rows(), plan_.d_model, table, begin, end);
  });
}

}  // namespace bitsweep::engine
