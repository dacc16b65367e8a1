#include "nn/sign_linear.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "nn/cpu_kernels.h"
#include "nn/parallel.h"
#include "nn/path.h"
#include "nn/sign.h"

namespace bitsweep {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// y = sums · scale − threshold and its sign, in place where it can be; `inside` [N, d_out] bool is made when clipped.
at::Tensor linear_end(at::Tensor sums, const at::Tensor& scale, const at::Tensor& threshold, OutputSign output,
                      at::Tensor& inside) {
  const int64_t rows = sums.size(0), columns = sums.size(1);
  const bool sign = output != OutputSign::none;
  if (output == OutputSign::clipped) inside = at::empty({rows, columns}, sums.options().dtype(at::kBool));
  if (choose_path(sums) == Path::reference) {
    const at::ScalarType type = sums.scalar_type();
    at::Tensor y = sums.to(at::kFloat).mul_(scale).sub_(threshold);
    if (output == OutputSign::clipped) at::le_out(inside, y.abs(), 1);
    return sign ? sign_of(y, type) : y.to(type);
  }
  const at::Tensor scales = scale.contiguous(), thresholds = threshold.contiguous();
  uint8_t* mask = output == OutputSign::clipped ? static_cast<uint8_t*>(inside.data_ptr()) : nullptr;
  float* data = sums.mutable_data_ptr<float>();
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    linear_end_rows(data + begin * columns, scales.const_data_ptr<float>(), thresholds.const_data_ptr<float>(),
                    mask != nullptr ? mask + begin * columns : nullptr, sign, end - begin, columns);
  });
  return sums;
}

// The gradient through the output's sign, and its sum over rows [d_out] f32.
std::pair<at::Tensor, at::Tensor> sign_backward(const at::Tensor& gradient, const at::Tensor& inside) {
  const int64_t rows = gradient.size(0), columns = gradient.size(1);
  if (choose_path(gradient) == Path::reference) {
    at::Tensor h = inside.defined() ? gradient * inside : gradient;
    return {h, h.sum(0, false, at::kFloat)};
  }
  at::Tensor h = inside.defined() ? at::empty_like(gradient) : gradient;
  at::Tensor sums = at::empty({columns}, gradient.options());
  const uint8_t* mask = inside.defined() ? static_cast<const uint8_t*>(inside.const_data_ptr()) : nullptr;
  parallel_columns(rows, columns, [&](int64_t begin, int64_t end) {
    linear_end_backward(gradient.const_data_ptr<float>(), mask, mask ? h.mutable_data_ptr<float>() : nullptr,
                        sums.mutable_data_ptr<float>(), rows, columns, begin, end);
  });
  return {h, sums};
}

// scale: a number, or undefined for α.
struct SignLinear : Function<SignLinear> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& threshold, const std::optional<double>& constant_scale,
                            int64_t output_code) {
    const OutputSign output = static_cast<OutputSign>(output_code);
    const at::ScalarType type = compute_type(x);
    const int64_t d_in = weight.size(1), d_out = weight.size(0);
    const at::Tensor rows = x.to(type).reshape({-1, d_in});  // [N, d_in]
    const at::Tensor scale =
        constant_scale ? at::full({d_out}, *constant_scale, weight.options()) : weight.abs().mean(1);  // [d_out]
    at::Tensor inside;
    at::Tensor sums = at::mm(rows, sign_of(weight, type).t());  // [N, d_out]
    at::Tensor y = linear_end(std::move(sums), scale, threshold, output, inside);
    context->save_for_backward({rows, weight, scale, inside});
    context->saved_data["alpha"] = !constant_scale.has_value();
    context->saved_data["x_type"] = x.scalar_type();
    auto shape = x.sizes().vec();
    shape.back() = d_out;
    return y.view(shape);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &rows = saved[0], &weight = saved[1], &scale = saved[2], &inside = saved[3];
    const at::ScalarType type = rows.scalar_type();
    const at::Tensor gradient = gradients[0].reshape({-1, weight.size(0)}).to(type).contiguous();
    const auto [h, sums] = sign_backward(gradient, inside);  // [N, d_out], [d_out]
    at::Tensor dx, dweight;
    if (context->needs_input_grad(0)) {
      auto shape = gradients[0].sizes().vec();
      shape.back() = weight.size(1);
      dx = at::mm(h, sign_of_rows(weight, scale, type)).view(shape).to(context->saved_data["x_type"].toScalarType());
    }
    if (context->needs_input_grad(1)) {
      const at::Tensor product = at::mm(h.t(), rows).to(at::kFloat);  // G [d_out, d_in]
      dweight = product * scale.unsqueeze(1);
      if (context->saved_data["alpha"].toBool()) {
        const at::Tensor signs = sign_of(weight, at::kFloat);
        const at::Tensor along = (product * signs).mean(1);  // [d_out]
        // d|W|/dW is 0 at W = 0, where the forward's sign is +1: torch's abs has the same convention.
        dweight.add_(at::sgn(weight) * along.unsqueeze(1));
      }
    }
    at::Tensor dthreshold = context->needs_input_grad(2) ? sums.neg() : at::Tensor();
    return {dx, dweight, dthreshold, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor sign_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& threshold, double scale,
                       OutputSign output) {
  return SignLinear::apply(x, weight, threshold, std::optional<double>(scale), static_cast<int64_t>(output));
}

at::Tensor sign_linear_alpha(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& threshold,
                             OutputSign output) {
  return SignLinear::apply(x, weight, threshold, std::optional<double>(), static_cast<int64_t>(output));
}

}  // namespace bitsweep
