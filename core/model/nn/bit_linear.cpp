#include "nn/bit_linear.h"

#include <cmath>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "nn/bits.h"
#include "nn/block_scope.h"
#include "nn/compute_type.h"
#include "nn/gradients.h"
#include "nn/linear_end.h"
#include "nn/rows.h"

namespace bitsweep::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

double inverse_root(int64_t d) { return 1.0 / std::sqrt(static_cast<double>(d)); }

// A pass over [d_out, d_in], which that of a head, whose scale is 1, is spared.
at::Tensor scaled(at::Tensor x, double scale) { return scale == 1 ? x : x.mul_(scale); }

// keep_signs: what was unpacked serves the gradient of x too. For a head, whose products follow each other part by part
// (train/token_loss.h); kept from layer to layer they would take 32 times the bits' memory.
struct BitProduct : Function<BitProduct> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& port,
                            const at::Tensor& threshold, const at::Tensor& bits, double scale, int64_t output_code,
                            bool keep_signs) {
    const at::ScalarType type = compute_type(x);
    const int64_t d_out = port.size(0), d_in = port.size(1);
    const at::Tensor rows = x.to(type).reshape({-1, d_in});  // [N, d_in]
    at::Tensor inside;
    const at::Tensor signs = unpack_signs(bits, d_in, type);  // [d_out, d_in]
    at::Tensor sums = at::mm(rows, signs.t());                // [N, d_out]
    at::Tensor y = linear_end(std::move(sums), at::full({d_out}, scale, threshold.options().requires_grad(false)),
                              threshold, static_cast<OutputSign>(output_code), inside);
    context->save_for_backward({rows, bits, inside, keep_signs ? signs : at::Tensor()});
    context->saved_data["scale"] = scale;
    context->saved_data["x_type"] = x.scalar_type();
    return in_leading_shape(y, x);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &rows = saved[0], &bits = saved[1], &inside = saved[2];
    const double scale = context->saved_data["scale"].toDouble();
    const at::ScalarType type = rows.scalar_type();
    const int64_t d_out = bits.size(0), d_in = rows.size(1);
    const at::Tensor gradient = gradients[0].reshape({-1, d_out}).to(type).contiguous();
    const auto [h, sums] = sign_backward(gradient, inside);  // [N, d_out], [d_out]
    at::Tensor dx, dport;
    if (context->needs_input_grad(0)) {
      const at::Tensor signs = saved[3].defined() ? saved[3] : unpack_signs(bits, d_in, type);
      dx = in_leading_shape(scaled(at::mm(rounded_rows(h), signs), scale), gradients[0]);
      dx = dx.to(context->saved_data["x_type"].toScalarType());
    }
    if (context->needs_input_grad(1)) dport = scaled(at::mm(rounded_columns(h).t(), rows).to(at::kFloat), scale);
    at::Tensor dthreshold = context->needs_input_grad(2) ? sums.neg() : at::Tensor();
    return {dx, dport, dthreshold, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

struct BitRows : Function<BitRows> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& tokens, const at::Tensor& port,
                            const at::Tensor& bits, at::ScalarType type) {
    context->save_for_backward({tokens});
    context->saved_data["symbols"] = port.size(0);
    auto shape = tokens.sizes().vec();
    shape.push_back(port.size(1));
    return unpack_signs(bits.index_select(0, tokens.flatten()), port.size(1), type).view(shape);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor tokens = context->get_saved_variables()[0];
    const int64_t symbols = context->saved_data["symbols"].toInt();
    return {at::Tensor(),
            at::embedding_dense_backward(gradients[0].to(at::kFloat), tokens, symbols, /*padding_idx=*/-1, false),
            at::Tensor(), at::Tensor()};
  }
};

}  // namespace

BitLinear::BitLinear(const ParameterSink& sink, int64_t d_in, int64_t d_out, OutputSign output)
    : weight_(sink.bits("weight", d_out, d_in)),
      threshold_(sink.constant("threshold", {d_out}, 0.0)),
      output_(output) {}

at::Tensor BitLinear::forward(const at::Tensor& x) const {
  return BitProduct::apply(x, weight_.port, threshold_, weight_.bits, inverse_root(weight_.columns),
                           static_cast<int64_t>(output_), /*keep_signs=*/false);
}

BitEmbedding::BitEmbedding(const ParameterSink& sink, int64_t vocab, int64_t d)
    : weight_(sink.bits("weight", vocab, d)) {}

at::Tensor BitEmbedding::forward(const at::Tensor& tokens) const {
  BITSWEEP_BLOCK("embedding");
  return BitRows::apply(tokens, weight_.port, weight_.bits, compute_type(weight_.port));
}

BitHead::BitHead(const ParameterSink& sink, int64_t vocab, int64_t d)
    : weight_(sink.bits("weight", vocab, d)),
      bias_(sink.constant("bias", {vocab}, 0.0)),
      logit_scale_(sink.constant("logit_scale", {1}, inverse_root(d))) {}

at::Tensor BitHead::forward(const at::Tensor& x) const {
  BITSWEEP_BLOCK("head");
  const at::Tensor sums = BitProduct::apply(x, weight_.port, at::zeros_like(bias_), weight_.bits, 1.0,
                                            static_cast<int64_t>(OutputSign::none), /*keep_signs=*/true);
  return sums.to(at::kFloat) * logit_scale_ + bias_;
}

}  // namespace bitsweep::nn
