#include "nn/sign_linear.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "nn/compute_type.h"
#include "nn/gradients.h"
#include "nn/linear_end.h"
#include "nn/rows.h"
#include "nn/sign.h"

namespace bitsweep::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// How a weight is scaled: by a number, by the mean of its channel, or by a parameter; and how much of it is signs.
struct ScaleRule {
  std::optional<double> constant;
  double binarized = 1.0;
};

// What multiplies x: signs, whose scale comes after the product, or the mixed weight, which has it.
at::Tensor operand(const at::Tensor& weight, const at::Tensor& scale, double binarized, at::ScalarType type) {
  if (binarized == 1.0) return sign_of(weight, type);
  return sign_of_rows(weight, scale * binarized, at::kFloat).add_(weight, 1.0 - binarized).to(type);
}

bool signs_alone(const at::Tensor& x) { return x.abs().eq(1).all().item<bool>(); }

// dx where the weight is signs: what is rounded is the gradient that they multiply.
at::Tensor input_gradient(const at::Tensor& h, const at::Tensor& weight, const at::Tensor& scale, double binarized) {
  const at::ScalarType type = h.scalar_type();
  if (binarized != 1.0) return at::mm(h, operand(weight, scale, binarized, type));
  if (rounds_gradients()) return at::mm(rounded_rows(h * scale), sign_of(weight, type));
  return at::mm(h, sign_of_rows(weight, scale, type));
}

// G = hᵀ·x [d_out, d_in]
at::Tensor weight_product(const at::Tensor& h, const at::Tensor& x) {
  const at::Tensor factor = rounds_gradients() && signs_alone(x) ? rounded_columns(h) : h;
  return at::mm(factor.t(), x).to(at::kFloat);
}

struct SignLinear : Function<SignLinear> {
  // alpha: only when it is a parameter.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& threshold, const std::optional<at::Tensor>& alpha, const ScaleRule& rule,
                            int64_t output_code) {
    const OutputSign output = static_cast<OutputSign>(output_code);
    const at::ScalarType type = compute_type(x);
    const int64_t d_in = weight.size(1), d_out = weight.size(0);
    const at::Tensor rows = x.to(type).reshape({-1, d_in});  // [N, d_in]
    at::Tensor scale;                                        // [d_out]
    if (alpha) {
      scale = *alpha;
    } else {
      scale = rule.constant ? at::full({d_out}, *rule.constant, weight.options()) : weight.abs().mean(1);
    }
    at::Tensor inside;
    at::Tensor sums = at::mm(rows, operand(weight, scale, rule.binarized, type).t());  // [N, d_out]
    const at::Tensor end_scale = rule.binarized == 1.0 ? scale : at::ones_like(scale);
    at::Tensor y = linear_end(std::move(sums), end_scale, threshold, output, inside);
    context->save_for_backward({rows, weight, scale, inside});
    context->saved_data["learned"] = alpha.has_value();
    context->saved_data["follows_weight"] = !alpha && !rule.constant;
    context->saved_data["binarized"] = rule.binarized;
    context->saved_data["x_type"] = x.scalar_type();
    return in_leading_shape(y, x);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &rows = saved[0], &weight = saved[1], &scale = saved[2], &inside = saved[3];
    const double m = context->saved_data["binarized"].toDouble();
    const at::ScalarType type = rows.scalar_type();
    const at::Tensor gradient = gradients[0].reshape({-1, weight.size(0)}).to(type).contiguous();
    const auto [h, sums] = sign_backward(gradient, inside);  // [N, d_out], [d_out]
    at::Tensor dx, dweight, dalpha;
    if (context->needs_input_grad(0)) {
      dx = in_leading_shape(input_gradient(h, weight, scale, m), gradients[0]);
      dx = dx.to(context->saved_data["x_type"].toScalarType());
    }
    const bool learned = context->saved_data["learned"].toBool() && context->needs_input_grad(3);
    if (context->needs_input_grad(1) || learned) {
      const at::Tensor product = weight_product(h, rows);
      const bool follows = context->saved_data["follows_weight"].toBool();
      at::Tensor along;  // Σ_in G ⊙ sign(W) [d_out]
      if (follows || learned) along = (product * sign_of(weight, at::kFloat)).sum(1);
      if (context->needs_input_grad(1)) dweight = product * (scale * m + (1.0 - m)).unsqueeze(1);
      if (learned) dalpha = along * m;
      // d|W|/dW is 0 at W = 0, where the forward's sign is +1: torch's abs has the same convention.
      if (follows && dweight.defined()) {
        const at::Tensor mean = along * m / static_cast<double>(weight.size(1));
        dweight.add_(at::sgn(weight) * mean.unsqueeze(1));
      }
    }
    at::Tensor dthreshold = context->needs_input_grad(2) ? sums.neg() : at::Tensor();
    return {dx, dweight, dthreshold, dalpha, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor sign_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& threshold, double scale,
                       OutputSign output) {
  return SignLinear::apply(x, weight, threshold, std::optional<at::Tensor>(), ScaleRule{.constant = scale},
                           static_cast<int64_t>(output));
}

at::Tensor sign_linear_alpha(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& threshold,
                             OutputSign output, const at::Tensor& alpha, double binarized) {
  const std::optional<at::Tensor> parameter = alpha.defined() ? std::optional(alpha) : std::nullopt;
  return SignLinear::apply(x, weight, threshold, parameter, ScaleRule{.constant = {}, .binarized = binarized},
                           static_cast<int64_t>(output));
}

}  // namespace bitsweep::nn
