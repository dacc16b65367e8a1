#include "engine/alpha_engine.h"
#include "engine/workers.h"
#include "kernels/alpha_ends.h"

namespace bitsweep::engine {

using kernels::SignBits;

void AlphaEngine::head_backward(const StepTensors& tensors, const StepPass&, const OutputGradient& dy, bool add) {
  const int64_t d = plan_.d_model, at = dy.first_row * d;
  if (tensors.codebook.gradient != nullptr)
    products_.weight(dy, rows_.normed.at(at), d, tensors.codebook.gradient, add);
  products_.input(dy, head_.codebook(), gradients_.normed.at(at), /*add=*/false);
}

void AlphaEngine::residual_backward(const StepTensors& tensors, const StepPass& pass) {
  norm_backward(tensors, pass, rows_.last.data(), tensors.norm, /*add=*/false);
}

void AlphaEngine::weight_backward(const StepTensors& tensors, const StepPass& pass, size_t layer,
                                  const LinearBackward& of, const OutputGradient& dy) {
  const LinearTensors& linear = tensors.layers[layer].linears[of.place];
  if (linear.weight.gradient == nullptr && linear.alpha.gradient == nullptr) return;
  const int64_t inputs = plan_.inputs(of.place);
  float* product = gradients_.product.data();
  if (plan_.reads_signs(of.place)) {
    SignBits& transposed = of.place == kDownLinear ? gradients_.transposed_inner : gradients_.transposed;
    transpose_rows(dy.block, pass, signs_read(layer, of.place), transposed);
    products_.index_inputs(dy.block, transposed, 0, pass.rows());
    products_.weight(dy, transposed, product, /*add=*/false);
  } else {
    products_.weight(dy, of.float_input, inputs, product, /*add=*/false);
  }
  const Metered metered(meter_, dy.block, true, Work::floats);
  const kernels::ChannelWeight weight{.product = product,
                                      .weight = linear.weight.values.latents,
                                      .alpha = scales_of(tensors, layer, of.place),
                                      .follows = linear.alpha.values == nullptr,
                                      .gradient = linear.weight.gradient,
                                      .alpha_gradient = linear.alpha.gradient,
                                      .add = tensors.add,
                                      .inputs = inputs};
  in_ranges(workers_, dy.outputs, 1, 2 * dy.outputs * inputs,
            [&](int64_t first, int64_t last) { kernels::channel_weight_backward(weight, first, last); });
}

void AlphaEngine::linear_backward(const StepTensors& tensors, const StepPass& pass, size_t layer,
                                  const LinearBackward& of) {
  end_backward(tensors, pass, layer, of.place, of.gradient, inside_of(layer, of.place), of.factor, /*scale=*/1.0f,
               of.values);
  const OutputGradient dy = products_.gradient(pass, layer, of.place, of.values, 0, pass.rows());
  weight_backward(tensors, pass, layer, of, dy);
  {
    const Metered metered(meter_, dy.block, true, Work::floats);
    const float* scales = scales_of(tensors, layer, of.place);
    in_ranges(workers_, dy.rows, 1, dy.rows * dy.outputs, [&](int64_t first, int64_t last) {
      kernels::scale_columns(of.values + first * dy.outputs, scales, last - first, dy.outputs);
    });
  }
  products_.input(dy, weight(layer, of.place), of.dx, of.add);
}

void AlphaEngine::ffn_backward(const StepTensors& tensors, const StepPass& pass, size_t layer) {
  const AlphaLayerRows& rows = rows_of(layer);
  AlphaGradientRows& g = gradients_;
  const TrainedFloats& gain = tensors.layers[layer].ffn_norm;
  norm(pass, /*backward=*/true, rows.middle.data(), gain);
  linear_backward(tensors, pass, layer,
                  {.place = kDownLinear, .gradient = g.residual.data(), .values = g.end.data(), .dx = g.inner.data()});
  const auto into_normed = [&](LinearPlace place, const SignBits& factor, bool add) {
    linear_backward(tensors, pass, layer,
                    {.place = place,
                     .gradient = g.inner.data(),
                     .factor = &factor,
                     .values = g.end.data(),
                     .float_input = rows_.normed.data(),
                     .dx = g.normed.data(),
                     .add = add});
  };
  into_normed(kGateLinear, rows.up, /*add=*/false);
  into_normed(kUpLinear, rows.gate, /*add=*/true);
  norm_backward(tensors, pass, rows.middle.data(), gain, /*add=*/true);
}

// With a K-shift, what keys read comes from two positions, and so goes their gradient.
void AlphaEngine::keys_backward(const StepTensors& tensors, const StepPass& pass, size_t layer) {
  const int64_t offset = plan_.key_shifts[layer], d = plan_.d_model;
  AlphaGradientRows& g = gradients_;
  linear_backward(tensors, pass, layer,
                  {.place = kKeyLinear,
                   .gradient = g.key.data(),
                   .values = g.key.data(),
                   .float_input = keys_input(pass, layer, /*backward=*/true),
                   .dx = offset > 0 ? g.end.data() : g.normed.data(),
                   .add = offset == 0});
  if (offset == 0) return;
  const Metered metered(meter_, "projections", true, Work::floats);
  in_ranges(workers_, pass.sequences, 1, 2 * pass.rows() * d, [&](int64_t first, int64_t last) {
    for (int64_t at = first * pass.context * d; first < last; ++first, at += pass.context * d)
      kernels::add_from_later(g.end.at(at), pass.context, d, offset, g.normed.at(at));
  });
}

void AlphaEngine::attention_backward(const StepTensors& tensors, const StepPass& pass, size_t layer) {
  const AlphaLayerRows& rows = rows_of(layer);
  AlphaGradientRows& g = gradients_;
  const TrainedFloats& gain = tensors.layers[layer].attention_norm;
  if (plan_.mixes) attention_.mix(pass, /*backward=*/true, rows.attention, rows_.mixed.data());
  linear_backward(tensors, pass, layer,
                  {.place = kOutLinear,
                   .gradient = g.residual.data(),
                   .values = g.end.data(),
                   .float_input = rows_.mixed.data(),
                   .dx = g.attended.data()});
  attention_.backward(
      pass, layer, rows.attention,
      {.output = g.attended.data(), .query = g.query.data(), .key = g.key.data(), .value = g.value.data()});
  norm(pass, /*backward=*/true, rows.x.data(), gain);
  const auto into_normed = [&](LinearPlace place, float* gradient, bool add) {
    linear_backward(tensors, pass, layer,
                    {.place = place,
                     .gradient = gradient,
                     .values = gradient,
                     .float_input = rows_.normed.data(),
                     .dx = g.normed.data(),
                     .add = add});
  };
  into_normed(kQueryLinear, g.query.data(), /*add=*/false);
  into_normed(kValueLinear, g.value.data(), /*add=*/true);
  keys_backward(tensors, pass, layer);
  norm_backward(tensors, pass, rows.x.data(), gain, /*add=*/true);
}

void AlphaEngine::layer_backward(const StepTensors& tensors, const StepPass& pass, size_t layer) {
  ffn_backward(tensors, pass, layer);
  attention_backward(tensors, pass, layer);
}

}  // namespace bitsweep::engine
