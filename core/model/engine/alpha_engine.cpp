#include "engine/alpha_engine.h"

#include "engine/workers.h"
#include "kernels/alpha_ends.h"
#include "kernels/cpu_kernels.h"
#include "kernels/table_products.h"

namespace bitsweep::engine {

using kernels::kWideRows;
using kernels::kWordBits;
using kernels::SignBits;

AlphaEngine::AlphaEngine(const EnginePlan& plan, const Workers& workers, Meter* meter)
    : BitEngine(plan, workers, meter), scales_(static_cast<size_t>(plan.layers)), norms_(plan_, workers, meter) {
  for (auto& of_layer : scales_)
    for (uint8_t i = 0; i < kLinears; ++i)
      of_layer[i] = kernels::Buffer<float>(plan.outputs(static_cast<LinearPlace>(i)));
}

void AlphaEngine::allocate(int64_t rows, bool trains) {
  rows_ = {};
  gradients_ = {};
  norms_.reserve(rows, trains);
  rows_ = AlphaRows(plan_, rows, trains);
  if (trains) gradients_ = AlphaGradientRows(plan_, rows);
}

int64_t AlphaEngine::row_bytes() const {
  int64_t sum = norms_.bytes() + rows_.bytes() + gradients_.bytes();
  for (const auto& of_layer : scales_)
    for (const kernels::Buffer<float>& scales : of_layer) sum += scales.bytes();
  return sum;
}

void AlphaEngine::pack_linear(const LinearTensors& linear, size_t layer, LinearPlace place) {
  if (linear.alpha.values != nullptr) return;
  kernels::mean_magnitudes(linear.weight.values.latents, plan_.inputs(place), scales_[layer][place].data(), 0,
                           plan_.outputs(place));
}

const float* AlphaEngine::scales_of(const StepTensors& tensors, size_t layer, LinearPlace place) const {
  const float* learned = tensors.layers[layer].linears[place].alpha.values;
  return learned != nullptr ? learned : scales_[layer][place].data();
}

void AlphaEngine::embed(const StepTensors& tensors, const StepPass& pass) {
  const Metered metered(meter_, "embedding", false, Work::floats);
  const int64_t d = plan_.d_model;
  float* x = rows_of(0).x.data();
  in_ranges(workers_, pass.rows(), 1, pass.rows() * d, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r)
      kernels::sign_range(tensors.embedding.values.latents + pass.tokens[r] * d, x + r * d, d, 1.0f);
  });
}

const float* AlphaEngine::keys_input(const StepPass& pass, size_t layer, bool backward) {
  const int64_t offset = plan_.key_shifts[layer], d = plan_.d_model;
  if (offset == 0) return rows_.normed.data();
  const Metered metered(meter_, "projections", backward, Work::floats);
  in_ranges(workers_, pass.sequences, 1, pass.rows() * d, [&](int64_t first, int64_t last) {
    for (int64_t at = first * pass.context * d; first < last; ++first, at += pass.context * d)
      kernels::add_earlier(rows_.normed.at(at), pass.context, d, offset, rows_.shifted.at(at));
  });
  return rows_.shifted.data();
}

SignBits* AlphaEngine::inside_of(size_t layer, LinearPlace place) {
  SignBits& inside = rows_of(layer).inside[place];
  return inside.rows() > 0 ? &inside : nullptr;
}

void AlphaEngine::sign_linear(const StepTensors& tensors, const StepPass& pass, size_t layer, LinearPlace place,
                              const float* in, SignBits& sign) {
  look_up_signs(tensors, pass, layer, place, in, scales_of(tensors, layer, place), rows_.sums.data(), sign,
                inside_of(layer, place));
}

void AlphaEngine::add_linear(const StepTensors& tensors, const StepPass& pass, size_t layer, LinearPlace place,
                             const float* x, float* to) {
  const int64_t inputs = plan_.inputs(place), d = plan_.d_model, products = pass.rows() * inputs * d;
  const bool signs = plan_.reads_signs(place);
  const Metered metered(meter_, block_of(place), false, signs ? Work::integers : Work::products, products);
  const kernels::ChannelEnd end{.alpha = scales_of(tensors, layer, place),
                                .threshold = tensors.layers[layer].linears[place].threshold.values,
                                .columns = d};
  const SignBits& w = weight(layer, place).rows();
  const int64_t work = pass.rows() * d + products / (signs ? kSignProducts : kTableProducts);
  in_ranges(workers_, pass.rows(), kWordBits, work, [&](int64_t first, int64_t last) {
    float* sums = rows_.sums.at(first * d);
    if (signs) {
      kernels::sign_product_rows(signs_read(layer, place), w, sums, first, last);
    } else {
      kernels::table_product_rows({.a = {rows_.mixed.data(), inputs, 1},
                                   .index = &w,
                                   .terms = inputs,
                                   .columns = d,
                                   .c = rows_.sums.data(),
                                   .c_step = d},
                                  first, last);
    }
    kernels::add_ends(end, sums, x + first * d, to + first * d, last - first);
  });
}

void AlphaEngine::forward(const StepTensors& tensors, const StepPass& pass) {
  attention_.begin(pass);
  embed(tensors, pass);
  const auto layers = static_cast<size_t>(plan_.layers);
  for (size_t layer = 0; layer < layers; ++layer) {
    AlphaLayerRows& rows = rows_of(layer);
    const float* normed = rows_.normed.data();
    norm(pass, /*backward=*/false, rows.x.data(), tensors.layers[layer].attention_norm);
    sign_linear(tensors, pass, layer, kQueryLinear, normed, rows.attention.query);
    sign_linear(tensors, pass, layer, kKeyLinear, keys_input(pass, layer, /*backward=*/false), rows.attention.key);
    sign_linear(tensors, pass, layer, kValueLinear, normed, rows.attention.value);
    attention_.choose(pass, layer, rows.attention);
    if (plan_.mixes) {
      attention_.mix(pass, /*backward=*/false, rows.attention, rows_.mixed.data());
    } else {
      attention_.vote(pass, rows.attention, rows.attended);
    }
    add_linear(tensors, pass, layer, kOutLinear, rows.x.data(), rows.middle.data());
    norm(pass, /*backward=*/false, rows.middle.data(), tensors.layers[layer].ffn_norm);
    sign_linear(tensors, pass, layer, kGateLinear, normed, rows.gate);
    sign_linear(tensors, pass, layer, kUpLinear, normed, rows.up);
    in_ranges(workers_, pass.rows(), kWordBits, word_work(rows.product), [&](int64_t first, int64_t last) {
      kernels::multiply_signs(rows.gate, rows.up, rows.product, first, last);
    });
    float* next = layer + 1 < layers ? rows_of(layer + 1).x.data() : rows_.last.data();
    add_linear(tensors, pass, layer, kDownLinear, rows.middle.data(), next);
  }
  norm(pass, /*backward=*/false, rows_.last.data(), tensors.norm);
}

void AlphaEngine::dots(const StepTensors&, int64_t first, int64_t rows, float* out) {
  const int64_t d = plan_.d_model, products = rows * plan_.vocab * d;
  const Metered metered(meter_, "head", false, Work::products, products);
  in_ranges(workers_, rows, kWideRows, products / kTableProducts, [&](int64_t begin, int64_t end) {
    kernels::table_product_rows({.a = {rows_.normed.at(first * d), d, 1},
                                 .index = &head_.codebook().rows(),
                                 .terms = d,
                                 .columns = plan_.vocab,
                                 .c = out,
                                 .c_step = plan_.vocab},
                                begin, end);
  });
}

}  // namespace bitsweep::engine
