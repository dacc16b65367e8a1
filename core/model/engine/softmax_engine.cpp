#include "engine/softmax_engine.h"

#include <algorithm>

#include "kernels/alpha_ends.h"
#include "kernels/cpu_kernels.h"
#include "kernels/float_ends.h"
#include "kernels/table_products.h"

namespace bitsweep::engine {

SoftmaxLayerRows::SoftmaxLayerRows(const EnginePlan& plan, int64_t rows)
    : x(rows * plan.d_model),
      middle(rows * plan.d_model),
      attention(plan, rows),
      attended(rows * plan.d_model),
      gate(rows * plan.d_ff),
      up(rows * plan.d_ff) {}

int64_t SoftmaxLayerRows::bytes() const { return bytes_of_all(x, middle, attention, attended, gate, up); }

SoftmaxEngine::SoftmaxEngine(const EnginePlan& plan, const Workers& workers, Meter* meter)
    : Engine(plan, workers, meter),
      linears_(LinearPart::make(plan_, workers, meter, products_)),
      attention_(plan_, workers, meter),
      norms_(plan_, workers, meter) {}

void SoftmaxEngine::allocate(int64_t rows, bool trains) {
  using Floats = kernels::Buffer<float>;
  const int64_t d = plan_.d_model, kv = plan_.kv_width(), f = plan_.d_ff;
  layers_.clear();
  gradients_ = {};
  for (int64_t layer = 0; layer < (trains ? plan_.layers : 1); ++layer) layers_.emplace_back(plan_, rows);
  last_ = Floats(rows * d);
  normed_ = Floats(rows * d);
  inner_ = Floats(rows * f);
  linears_->reserve(rows, trains);
  norms_.reserve(rows, trains);
  if (!trains) return;
  gradients_ = {Floats(rows * d),  Floats(rows * d),  Floats(rows * d), Floats(rows * d),
                Floats(rows * kv), Floats(rows * kv), Floats(rows * f), Floats(rows * f)};
}

int64_t SoftmaxEngine::held_bytes() const {
  const auto& g = gradients_;
  int64_t sum = bytes_of_all(*linears_, norms_, last_, normed_, inner_) +
                bytes_of_all(g.residual, g.read, g.attended, g.query, g.key, g.value, g.inner, g.up);
  for (const SoftmaxLayerRows& layer : layers_) sum += layer.bytes();
  return sum;
}

void SoftmaxEngine::embed(const StepTensors& tensors, const StepPass& pass) {
  const Metered metered(meter_, "embedding", false, Work::floats);
  const int64_t d = plan_.d_model;
  const float* table = tensors.embedding.values.latents;
  float* x = rows_of(0).x.data();
  in_ranges(workers_, pass.rows(), 1, pass.rows() * d, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r) {
      if (plan_.float_ends) {
        std::copy_n(table + pass.tokens[r] * d, d, x + r * d);
      } else {
        kernels::sign_range(table + pass.tokens[r] * d, x + r * d, d, 1.0f);
      }
    }
  });
}

const float* SoftmaxEngine::read(const StepPass& pass, bool backward, const float* x, const TrainedFloats& gain) {
  if (!plan_.norms.outer) return x;
  norms_.forward(pass, backward, x, gain, normed_.data());
  return normed_.data();
}

// to += x
void SoftmaxEngine::add_residual(const char* block, bool backward, const StepPass& pass, const float* x,
                                 float* to) const {
  const Metered metered(meter_, block, backward, Work::floats);
  const int64_t count = pass.rows() * plan_.d_model;
  in_ranges(workers_, count, kLineFloats, count,
            [&](int64_t first, int64_t last) { kernels::add_floats(x + first, to + first, last - first); });
}

void SoftmaxEngine::attend(const StepTensors& tensors, const StepPass& pass, size_t layer) {
  SoftmaxLayerRows& rows = rows_of(layer);
  const float* x = read(pass, /*backward=*/false, rows.x.data(), tensors.layers[layer].attention_norm);
  linears_->forward(tensors, pass, {layer, kQueryLinear}, x, rows.attention.query.data());
  linears_->forward(tensors, pass, {layer, kKeyLinear}, x, rows.attention.key.data());
  linears_->forward(tensors, pass, {layer, kValueLinear}, x, rows.attention.value.data());
  attention_.forward(pass, rows.attention, rows.attended.data());
  linears_->forward(tensors, pass, {layer, kOutLinear}, rows.attended.data(), rows.middle.data());
  add_residual("projections", /*backward=*/false, pass, rows.x.data(), rows.middle.data());
}

void SoftmaxEngine::gate(const StepPass& pass, bool backward, const SoftmaxLayerRows& rows) {
  const Metered metered(meter_, "ffn", backward, Work::floats);
  const int64_t count = pass.rows() * plan_.d_ff;
  const auto of_gate = plan_.gate == Gate::relu2 ? kernels::relu2glu_range : kernels::swiglu_range;
  in_ranges(workers_, count, kLineFloats, count * kGateWork, [&](int64_t first, int64_t last) {
    of_gate(rows.gate.at(first), rows.up.at(first), inner_.at(first), last - first);
  });
}

void SoftmaxEngine::feed_forward(const StepTensors& tensors, const StepPass& pass, size_t layer, float* to) {
  SoftmaxLayerRows& rows = rows_of(layer);
  const float* x = read(pass, /*backward=*/false, rows.middle.data(), tensors.layers[layer].ffn_norm);
  linears_->forward(tensors, pass, {layer, kGateLinear}, x, rows.gate.data());
  linears_->forward(tensors, pass, {layer, kUpLinear}, x, rows.up.data());
  gate(pass, /*backward=*/false, rows);
  linears_->forward(tensors, pass, {layer, kDownLinear}, inner_.data(), to);
  add_residual("ffn", /*backward=*/false, pass, rows.middle.data(), to);
}

void SoftmaxEngine::forward(const StepTensors& tensors, const StepPass& pass) {
  embed(tensors, pass);
  const auto layers = static_cast<size_t>(plan_.layers);
  for (size_t layer = 0; layer < layers; ++layer) {
    attend(tensors, pass, layer);
    feed_forward(tensors, pass, layer, layer + 1 < layers ? rows_of(layer + 1).x.data() : last_.data());
  }
  norms_.forward(pass, /*backward=*/false, last_.data(), tensors.norm, normed_.data());
}

void SoftmaxEngine::dots(const StepTensors& tensors, int64_t first, int64_t rows, float* out) {
  const int64_t d = plan_.d_model, vocab = plan_.vocab;
  const kernels::FloatRows read{normed_.at(first * d), d, 1};
  if (plan_.float_ends) {
    return products_.multiply("head", /*backward=*/false,
                              {.a = read,
                               .b = {tensors.codebook.values.latents, d, 1},
                               .terms = d,
                               .columns = vocab,
                               .c = out,
                               .c_step = vocab},
                              rows);
  }
  const int64_t products = rows * vocab * d;
  const Metered metered(meter_, "head", false, Work::products, products);
  const kernels::TableProduct product{
      .a = read, .index = &head_.codebook().rows(), .terms = d, .columns = vocab, .c = out, .c_step = vocab};
  in_ranges(workers_, rows, kernels::kWideRows, products / kTableProducts,
            [&](int64_t begin, int64_t end) { kernels::table_product_rows(product, begin, end); });
}

}  // namespace bitsweep::engine
