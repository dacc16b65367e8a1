#include "engine/softmax_engine.h"
#include "kernels/cpu_kernels.h"
#include "kernels/float_ends.h"

namespace bitsweep::engine {

void SoftmaxEngine::head_backward(const StepTensors& tensors, const StepPass&, const OutputGradient& dy, bool add) {
  const int64_t d = plan_.d_model, vocab = plan_.vocab, at = dy.first_row * d;
  if (tensors.codebook.gradient != nullptr) products_.weight(dy, normed_.at(at), d, tensors.codebook.gradient, add);
  float* to = gradients_.read.at(at);
  if (!plan_.float_ends) return products_.input(dy, head_.codebook(), to, /*add=*/false);
  products_.multiply(dy.block, /*backward=*/true,
                     {.a = {dy.values, vocab, 1},
                      .b = {tensors.codebook.values.latents, 1, d},
                      .terms = vocab,
                      .columns = d,
                      .c = to,
                      .c_step = d},
                     dy.rows);
}

void SoftmaxEngine::residual_backward(const StepTensors& tensors, const StepPass& pass) {
  norms_.backward(tensors, pass, last_.data(), tensors.norm, gradients_.read.data(), gradients_.residual.data(),
                  /*add=*/false);
}

void SoftmaxEngine::read_backward(const StepTensors& tensors, const StepPass& pass, const float* x,
                                  const TrainedFloats& gain) {
  float *read = gradients_.read.data(), *residual = gradients_.residual.data();
  if (!plan_.norms.outer) return add_residual("norm", /*backward=*/true, pass, read, residual);
  norms_.backward(tensors, pass, x, gain, read, residual, /*add=*/true);
}

void SoftmaxEngine::gate_backward(const StepPass& pass, const SoftmaxLayerRows& rows) {
  const Metered metered(meter_, "ffn", true, Work::floats);
  const int64_t count = pass.rows() * plan_.d_ff;
  const auto of_gate = plan_.gate == Gate::relu2 ? kernels::relu2glu_backward_range : kernels::swiglu_backward_range;
  in_ranges(workers_, count, kLineFloats, count * kGateWork, [&](int64_t first, int64_t last) {
    of_gate(rows.gate.at(first), rows.up.at(first), gradients_.inner.at(first), inner_.at(first),
            gradients_.up.at(first), last - first);
  });
}

void SoftmaxEngine::ffn_backward(const StepTensors& tensors, const StepPass& pass, size_t layer) {
  const SoftmaxLayerRows& rows = rows_of(layer);
  const TrainedFloats& gain = tensors.layers[layer].ffn_norm;
  gate(pass, /*backward=*/true, rows);
  linears_->backward(tensors, pass, {layer, kDownLinear}, inner_.data(), gradients_.residual.data(),
                     gradients_.inner.data(), /*add=*/false);
  gate_backward(pass, rows);
  const float* x = read(pass, /*backward=*/true, rows.middle.data(), gain);
  float* to = gradients_.read.data();
  linears_->backward(tensors, pass, {layer, kGateLinear}, x, inner_.data(), to, /*add=*/false);
  linears_->backward(tensors, pass, {layer, kUpLinear}, x, gradients_.up.data(), to, /*add=*/true);
  read_backward(tensors, pass, rows.middle.data(), gain);
}

void SoftmaxEngine::attention_backward(const StepTensors& tensors, const StepPass& pass, size_t layer) {
  const SoftmaxLayerRows& rows = rows_of(layer);
  const TrainedFloats& gain = tensors.layers[layer].attention_norm;
  const auto& g = gradients_;
  linears_->backward(tensors, pass, {layer, kOutLinear}, rows.attended.data(), g.residual.data(), g.attended.data(),
                     /*add=*/false);
  attention_.backward(pass, rows.attention, g.attended.data(), g.query.data(), g.key.data(), g.value.data());
  const float* x = read(pass, /*backward=*/true, rows.x.data(), gain);
  float* to = g.read.data();
  linears_->backward(tensors, pass, {layer, kQueryLinear}, x, g.query.data(), to, /*add=*/false);
  linears_->backward(tensors, pass, {layer, kKeyLinear}, x, g.key.data(), to, /*add=*/true);
  linears_->backward(tensors, pass, {layer, kValueLinear}, x, g.value.data(), to, /*add=*/true);
  read_backward(tensors, pass, rows.x.data(), gain);
}

void SoftmaxEngine::layer_backward(const StepTensors& tensors, const StepPass& pass, size_t layer) {
  ffn_backward(tensors, pass, layer);
  attention_backward(tensors, pass, layer);
}

}  // namespace bitsweep::engine
