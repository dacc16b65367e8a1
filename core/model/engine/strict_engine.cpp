#include "engine/strict_engine.h"

#include "engine/workers.h"

namespace bitsweep::engine {

using kernels::kWordBits;
using kernels::SignBits;

StrictEngine::StrictEngine(const EnginePlan& plan, const Workers& workers, Meter* meter)
    : BitEngine(plan, workers, meter), limits_(static_cast<size_t>(plan.layers)) {
  for (auto& of_layer : limits_)
    for (uint8_t i = 0; i < kLinears; ++i) of_layer[i] = kernels::EndLimits(plan.outputs(static_cast<LinearPlace>(i)));
}

void StrictEngine::allocate(int64_t rows, bool trains) {
  rows_ = {};
  gradients_ = {};
  rows_ = StrictRows(plan_, rows, trains);
  if (trains) gradients_ = StrictGradientRows(plan_, rows);
}

void StrictEngine::pack_linear(const LinearTensors& linear, size_t layer, LinearPlace place) {
  kernels::find_end_limits(plan_.inputs(place), input_scale(plan_.inputs(place)), linear.threshold.values,
                           plan_.outputs(place), limits_[layer][place]);
}

SignBits* StrictEngine::inside_of(size_t layer, LinearPlace place) {
  SignBits& inside = rows_of(layer).inside[place];
  return inside.rows() > 0 ? &inside : nullptr;
}

void StrictEngine::linear(const StepPass& pass, size_t layer, LinearPlace place, const SignBits& x, SignBits& sign) {
  const int64_t products = pass.rows() * plan_.inputs(place) * plan_.outputs(place);
  const Metered metered(meter_, block_of(place), false, Work::integers, products);
  SignBits* inside = inside_of(layer, place);
  in_ranges(workers_, pass.rows(), kWordBits, products / kSignProducts, [&](int64_t first, int64_t last) {
    kernels::strict_linear_rows(x, weight(layer, place).rows(), limits_[layer][place], sign, inside, first, last);
  });
}

void StrictEngine::forward(const StepTensors& tensors, const StepPass& pass) {
  attention_.begin(pass);
  {
    const Metered metered(meter_, "embedding", false, Work::integers);
    gather_rows(tensors.embedding.values, pass.tokens, pass.rows(), rows_of(0).x, workers_);
  }
  const auto layers = static_cast<size_t>(plan_.layers);
  for (size_t layer = 0; layer < layers; ++layer) {
    StrictLayerRows& rows = rows_of(layer);
    linear(pass, layer, kQueryLinear, rows.x, rows.attention.query);
    linear(pass, layer, kKeyLinear, rows.x, rows.attention.key);
    linear(pass, layer, kValueLinear, rows.x, rows.attention.value);
    attention_.choose(pass, layer, rows.attention);
    if (plan_.mixes) {
      attention_.mix(pass, /*backward=*/false, rows.attention, rows_.mixed.data());
      look_up_signs(tensors, pass, layer, kOutLinear, rows_.mixed.data(), rows_.scales.data(), rows_.sums.data(),
                    rows_.out, inside_of(layer, kOutLinear));
    } else {
      attention_.vote(pass, rows.attention, rows.attended);
      linear(pass, layer, kOutLinear, rows.attended, rows_.out);
    }
    linear(pass, layer, kGateLinear, rows.x, rows.gate);
    linear(pass, layer, kUpLinear, rows.x, rows.up);
    in_ranges(workers_, pass.rows(), kWordBits, word_work(rows.product), [&](int64_t first, int64_t last) {
      kernels::multiply_signs(rows.gate, rows.up, rows.product, first, last);
    });
    linear(pass, layer, kDownLinear, rows.product, rows_.down);
    const Metered metered(meter_, "other", false, Work::integers);
    SignBits& next = layer + 1 < layers ? rows_of(layer + 1).x : rows_.last;
    in_ranges(workers_, pass.rows(), kWordBits, word_work(next), [&](int64_t first, int64_t last) {
      kernels::majority_signs(rows.x, rows_.out, rows_.down, next, first, last);
    });
  }
}

void StrictEngine::dots(const StepTensors&, int64_t first, int64_t rows, float* out) {
  const int64_t products = rows * plan_.vocab * plan_.d_model;
  const Metered metered(meter_, "head", false, Work::integers, products);
  in_ranges(workers_, rows, kWordBits, rows * plan_.vocab + products / kSignProducts, [&](int64_t begin, int64_t end) {
    kernels::sign_product_rows(rows_.last, head_.codebook().rows(), out + begin * plan_.vocab, first + begin,
                               first + end);
  });
}

void StrictEngine::head_backward(const StepTensors& tensors, const StepPass& pass, const OutputGradient& dy, bool add) {
  SignBits& transposed = gradients_.transposed;
  if (dy.first_row == 0) transpose_rows(dy.block, pass, rows_.last, transposed);
  if (tensors.codebook.gradient != nullptr) {
    products_.index_inputs(dy.block, transposed, dy.first_row, dy.rows);
    products_.weight(dy, transposed, tensors.codebook.gradient, add);
  }
  products_.input(dy, head_.codebook(), gradients_.residual.at(dy.first_row * plan_.d_model), /*add=*/false);
}

void StrictEngine::linear_backward(const StepTensors& tensors, const StepPass& pass, size_t layer, LinearPlace place,
                                   const float* gradient, const SignBits* factor, float* values,
                                   const SignBits& transposed, float* dx, bool add) {
  end_backward(tensors, pass, layer, place, gradient, inside_of(layer, place), factor, input_scale(plan_.inputs(place)),
               values);
  const OutputGradient dy = products_.gradient(pass, layer, place, values, 0, pass.rows());
  float* of_weight = tensors.layers[layer].linears[place].weight.gradient;
  if (of_weight != nullptr) {
    if (plan_.reads_signs(place)) {
      products_.weight(dy, transposed, of_weight, tensors.add);
    } else {
      products_.weight(dy, rows_.mixed.data(), plan_.d_model, of_weight, tensors.add);
    }
  }
  products_.input(dy, weight(layer, place), dx, add);
}

void StrictEngine::layer_backward(const StepTensors& tensors, const StepPass& pass, size_t layer) {
  const StrictLayerRows& rows = rows_of(layer);
  StrictGradientRows& g = gradients_;
  const auto read = [&](const char* block, const SignBits& x, SignBits& transposed) {
    transpose_rows(block, pass, x, transposed);
    products_.index_inputs(block, transposed, 0, pass.rows());
  };
  // Every branch has the residual's gradient as it comes from above; what they send to x is added to it at the end.
  if (plan_.mixes) {
    attention_.mix(pass, /*backward=*/true, rows.attention, rows_.mixed.data());
  } else {
    read("projections", rows.attended, g.transposed);
  }
  linear_backward(tensors, pass, layer, kOutLinear, g.residual.data(), nullptr, g.end.data(), g.transposed,
                  g.attended.data(), /*add=*/false);
  read("ffn", rows.product, g.transposed_inner);
  linear_backward(tensors, pass, layer, kDownLinear, g.residual.data(), nullptr, g.end.data(), g.transposed_inner,
                  g.inner.data(), /*add=*/false);
  attention_.backward(
      pass, layer, rows.attention,
      {.output = g.attended.data(), .query = g.query.data(), .key = g.key.data(), .value = g.value.data()});
  read("projections", rows.x, g.transposed);
  const auto into_x = [&](LinearPlace place, const float* gradient, const SignBits* factor, float* dy) {
    linear_backward(tensors, pass, layer, place, gradient, factor, dy, g.transposed, g.residual.data(), /*add=*/true);
  };
  into_x(kQueryLinear, g.query.data(), nullptr, g.query.data());
  into_x(kKeyLinear, g.key.data(), nullptr, g.key.data());
  into_x(kValueLinear, g.value.data(), nullptr, g.value.data());
  into_x(kGateLinear, g.inner.data(), &rows.up, g.inner_end.data());
  into_x(kUpLinear, g.inner.data(), &rows.gate, g.inner_end.data());
}

}  // namespace bitsweep::engine
