#include <algorithm>
#include <vector>

#include "engine/strict_engine.h"
#include "kernels/strict_ends.h"
#include "kernels/table_products.h"

namespace bitsweep::engine {
namespace {

using kernels::kWideRows;
using kernels::kWordBits;
using kernels::SignBits;

constexpr int64_t kLineFloats = 16;

bool trained(const LinearTensors& linear) {
  return linear.weight.gradient != nullptr || linear.threshold.gradient != nullptr;
}

bool trained(const std::array<LinearTensors, kLinears>& layer) {
  return std::any_of(layer.begin(), layer.end(), [](const LinearTensors& linear) { return trained(linear); });
}

// One head of the attention's backward pass, on floats.
struct HeadFloats {
  kernels::Buffer<float> queries, keys, values, gradient, dq, dk, dv;
};

}  // namespace

void StrictEngine::weight_backward(const OutputGradient& dy, const TrainedSigns& weight, const SignBits& transposed,
                                   bool add) {
  if (weight.gradient == nullptr) return;
  if (plan_.rounding) return rounded_weight_backward(dy, weight.gradient, add);
  const int64_t inputs = transposed.rows();
  const int64_t products = dy.rows * inputs * dy.outputs;
  const Metered metered(meter_, dy.block, true, Work::products, products);
  in_ranges(workers_, dy.outputs, kWideRows, products / kTableProducts, [&](int64_t first, int64_t last) {
    kernels::table_product_rows({.a = {dy.values, 1, dy.outputs},
                                 .index = &transposed,
                                 .index_term = dy.first_row,
                                 .terms = dy.rows,
                                 .columns = inputs,
                                 .c = weight.gradient,
                                 .c_step = inputs,
                                 .add = add},
                                first, last);
  });
}

void StrictEngine::input_backward(const OutputGradient& dy, const BitWeight& weight, float* out, bool add) {
  if (plan_.rounding) return rounded_input_backward(dy, weight, out, add);
  const int64_t inputs = weight.rows().columns();
  const int64_t products = dy.rows * inputs * dy.outputs;
  const Metered metered(meter_, dy.block, true, Work::products, products);
  in_ranges(workers_, dy.rows, kWideRows, products / kTableProducts, [&](int64_t first, int64_t last) {
    kernels::table_product_rows({.a = {dy.values, dy.outputs, 1},
                                 .index = &weight.transposed(),
                                 .terms = dy.outputs,
                                 .columns = inputs,
                                 .c = out,
                                 .c_step = inputs,
                                 .add = add},
                                first, last);
  });
}

void StrictEngine::transpose_rows(const char* block, const StrictPass& pass, const SignBits& in, SignBits& out) {
  const Metered metered(meter_, block, true, Work::integers);
  constexpr int64_t kTransposeWork = 8;  // of a word
  in_ranges(workers_, pass.rows(), kWordBits, word_work(in) * kTransposeWork,
            [&](int64_t first, int64_t last) { kernels::transpose_signs(in, out, first, last); });
}

double StrictEngine::head_forward_backward(const StrictTensors& tensors, const StrictPass& pass, float weight) {
  const int64_t vocab = plan_.vocab, d = plan_.d_model;
  const float logit_scale = *tensors.logit_scale.values;
  const kernels::LogitRow row{.bias = tensors.bias.values, .scale = logit_scale, .vocab = vocab};
  double nats = 0, scale_gradient = 0;
  spare_bias_.at_least(vocab);
  transpose_rows("head", pass, rows_.last, gradients_.transposed);
  for_each_logit_part(pass, [&](int64_t first, int64_t count) {
    const bool add = tensors.add || first > 0;
    float* logits = rows_.logits.data();
    double *losses = rows_.row_sums.data(), *along = losses + rows_.logit_rows;
    {
      const Metered metered(meter_, "loss", true, Work::floats);
      in_ranges(workers_, count, 1, count * vocab * kLossWork, [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) {
          const int64_t target = pass.targets[first + r];
          losses[r] = along[r] = 0;
          if (target >= 0) {
            losses[r] = kernels::cross_entropy_row(row, logits + r * vocab, target, weight, along[r]);
          } else {
            std::fill_n(logits + r * vocab, vocab, 0.0f);
          }
        }
      });
      for (int64_t r = 0; r < count; ++r) nats += losses[r];
      for (int64_t r = 0; r < count; ++r) scale_gradient += along[r];
      float* bias = tensors.bias.gradient != nullptr ? tensors.bias.gradient : spare_bias_.data();
      in_ranges(workers_, vocab, kLineFloats, count * vocab, [&](int64_t begin, int64_t end) {
        kernels::sum_and_scale_columns(logits, count, vocab, logit_scale, add, bias, begin, end);
      });
    }
    const OutputGradient dy = output_gradient(pass, weights_.size(), kLinears, logits, first, count);
    index_inputs("head", gradients_.transposed, first, count);
    weight_backward(dy, tensors.codebook, gradients_.transposed, add);
    input_backward(dy, codebook_, gradients_.residual.at(first * d), /*add=*/false);
  });
  if (tensors.logit_scale.gradient != nullptr) {
    float& gradient = *tensors.logit_scale.gradient;
    gradient = (tensors.add ? gradient : 0.0f) + static_cast<float>(scale_gradient);
  }
  return nats;
}

void StrictEngine::layers_backward(const StrictTensors& tensors, const StrictPass& pass) {
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
    kernels::scatter_rows(gradients_.residual.data(), pass.tokens, pass.rows(), plan_.d_model, table, begin, end);
  });
}

void StrictEngine::end_backward(const StrictTensors& tensors, const StrictPass& pass, size_t layer, LinearPlace place,
                                const float* gradient, const SignBits* factor, float* out) {
  const Metered metered(meter_, block_of(place), true, Work::floats);
  const SignBits& inside = rows_of(layer).inside[place];
  const kernels::EndBackward end{.gradient = gradient,
                                 .inside = inside.rows() > 0 ? &inside : nullptr,
                                 .factor = factor,
                                 .scale = input_scale(plan_.inputs(place)),
                                 .out = out,
                                 .threshold = tensors.layers[layer][place].threshold.gradient,
                                 .add = tensors.add,
                                 .rows = pass.rows(),
                                 .columns = plan_.outputs(place)};
  in_ranges(workers_, (end.columns + kWordBits - 1) / kWordBits, 1, end.rows * end.columns,
            [&](int64_t first, int64_t last) { kernels::end_backward_words(end, first, last); });
}

void StrictEngine::linear_backward(const StrictTensors& tensors, const StrictPass& pass, size_t layer,
                                   LinearPlace place, const float* values, const SignBits& transposed, float* dx,
                                   bool add) {
  const OutputGradient dy = output_gradient(pass, layer, place, values, 0, pass.rows());
  weight_backward(dy, tensors.layers[layer][place].weight, transposed, tensors.add);
  input_backward(dy, weights_[layer].weight[place], dx, add);
}

void StrictEngine::layer_backward(const StrictTensors& tensors, const StrictPass& pass, size_t layer) {
  const StrictLayerRows& rows = rows_of(layer);
  StrictGradientRows& g = gradients_;
  // Every branch has the residual's gradient as it comes from above; what they send to x is added to it at the end.
  end_backward(tensors, pass, layer, kOutLinear, g.residual.data(), nullptr, g.end.data());
  transpose_rows("projections", pass, rows.attended, g.transposed);
  index_inputs("projections", g.transposed, 0, pass.rows());
  linear_backward(tensors, pass, layer, kOutLinear, g.end.data(), g.transposed, g.attended.data(), /*add=*/false);
  end_backward(tensors, pass, layer, kDownLinear, g.residual.data(), nullptr, g.end.data());
  transpose_rows("ffn", pass, rows.product, g.transposed_inner);
  index_inputs("ffn", g.transposed_inner, 0, pass.rows());
  linear_backward(tensors, pass, layer, kDownLinear, g.end.data(), g.transposed_inner, g.inner.data(), /*add=*/false);
  attention_backward(pass, layer);
  transpose_rows("projections", pass, rows.x, g.transposed);
  index_inputs("projections", g.transposed, 0, pass.rows());
  const auto into_x = [&](LinearPlace place, const float* gradient, const SignBits* factor, float* dy) {
    end_backward(tensors, pass, layer, place, gradient, factor, dy);
    linear_backward(tensors, pass, layer, place, dy, g.transposed, g.residual.data(), /*add=*/true);
  };
  into_x(kQueryLinear, g.query.data(), nullptr, g.query.data());
  into_x(kKeyLinear, g.key.data(), nullptr, g.key.data());
  into_x(kValueLinear, g.value.data(), nullptr, g.value.data());
  into_x(kGateLinear, g.inner.data(), &rows.up, g.inner_end.data());
  into_x(kUpLinear, g.inner.data(), &rows.gate, g.inner_end.data());
}

void StrictEngine::attention_backward(const StrictPass& pass, size_t layer) {
  const int64_t products = plan_.keys > 0 ? 4 * voted_products(pass) : 3 * pass.rows() * pass.context * plan_.d_model;
  const Metered metered(meter_, "attention", true, Work::products, products);
  const StrictLayerRows& rows = rows_of(layer);
  const int64_t d = plan_.d_model, of_head = pass.context * std::max<int64_t>(1, plan_.keys);
  for_each_head(pass, layer, [&](int64_t sequence, int64_t head, const kernels::BitHead& bits) {
    const kernels::ScoreRule rule = rule_of(pass, layer, sequence, head);
    const int64_t at = (sequence * plan_.heads + head) * of_head,
                  place = sequence * pass.context * d + head * bits.size;
    const kernels::HeadGradients to{.output = gradients_.attended.at(place),
                                    .queries = gradients_.query.at(place),
                                    .keys = gradients_.key.at(place),
                                    .values = gradients_.value.at(place),
                                    .step = d};
    const float factor = rule.scale * rule.inverse_tau;
    if (plan_.keys == 0) {
      kernels::choose_keys_backward(bits, rule, rows.choice.at(at), rows.top.at(at), factor, to);
    } else {
      vote_backward(bits, rows.choice.at(at), rows.probabilities.at(at), factor, to);
    }
  });
}

// A vote's gradient is that of the mean (nn/top_keys.h), on floats: few keys a query take part.
void StrictEngine::vote_backward(const kernels::BitHead& head, const int32_t* index, const float* probabilities,
                                 float factor, const kernels::HeadGradients& to) const {
  thread_local HeadFloats floats;
  const int64_t count = head.context * head.size;
  const auto unpacked = [&](const SignBits& bits, kernels::Buffer<float>& out) {
    kernels::unpack_signs_to(bits, head.context, out.at_least(count));
    return out.data();
  };
  float* gradient = floats.gradient.at_least(count);
  for (int64_t t = 0; t < head.context; ++t) std::copy_n(to.output + t * to.step, head.size, gradient + t * head.size);
  const kernels::TopKeysTensors tensors{.queries = unpacked(*head.queries, floats.queries),
                                        .keys = unpacked(*head.keys, floats.keys),
                                        .values = unpacked(*head.values, floats.values),
                                        .probabilities = probabilities,
                                        .gradient = gradient,
                                        .dq = floats.dq.at_least(count),
                                        .dk = floats.dk.at_least(count),
                                        .dv = floats.dv.at_least(count)};
  std::fill_n(tensors.dk, count, 0.0f);
  std::fill_n(tensors.dv, count, 0.0f);
  kernels::mix_values_backward_head(
      {.context = head.context, .size = head.size, .keys = plan_.keys, .index = index, .weights = mean_weights_.data()},
      tensors, factor);
  for (int64_t t = 0; t < head.context; ++t) {
    std::copy_n(tensors.dq + t * head.size, head.size, to.queries + t * to.step);
    std::copy_n(tensors.dk + t * head.size, head.size, to.keys + t * to.step);
    std::copy_n(tensors.dv + t * head.size, head.size, to.values + t * to.step);
  }
}

}  // namespace bitsweep::engine
