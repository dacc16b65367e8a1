#include "nn/quant_linear.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "kernels/alpha_ends.h"
#include "kernels/float_ends.h"
#include "nn/compute_type.h"
#include "nn/gradients.h"
#include "nn/kernel_for.h"
#include "nn/parallel.h"
#include "nn/rows.h"
#include "nn/sign.h"

namespace bitsweep::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr double kLeastScale = 1e-5;

struct CodedRows {
  at::Tensor codes;  // [N, d_in] in the compute type
  at::Tensor bytes;  // the same as int8, when the backward pass will want them
  at::Tensor step;   // [N, 1] f32
};

CodedRows code_rows(const at::Tensor& x, bool keep) {
  CodedRows rows;
  const auto kernel = kernel_for<kernels::Operation::quantize>(x);
  if (kernel == nullptr) {
    const at::Tensor wide = x.to(at::kFloat), top = wide.abs().amax(1, true).clamp_min(kLeastScale);
    const at::Tensor codes = (wide * (127.0 / top)).round_().clamp_(-128, 127);
    rows.codes = codes.to(x.scalar_type());
    if (keep) rows.bytes = codes.nan_to_num(0.0).to(at::kChar);
    rows.step = top / 127.0;
    return rows;
  }
  const int64_t count = x.size(0), d = x.size(1);
  rows.codes = at::empty_like(x);
  if (keep) rows.bytes = at::empty({count, d}, x.options().dtype(at::kChar));
  rows.step = at::empty({count, 1}, x.options());
  int8_t* bytes = keep ? rows.bytes.mutable_data_ptr<int8_t>() : nullptr;
  parallel_rows(count, d, [&](int64_t begin, int64_t end) {
    kernel(x.const_data_ptr<float>() + begin * d, rows.codes.mutable_data_ptr<float>() + begin * d,
           bytes != nullptr ? bytes + begin * d : nullptr, rows.step.mutable_data_ptr<float>() + begin, end - begin, d);
  });
  return rows;
}

// Of all numbers of a weight, or of their magnitudes: the mean of its rows' means, as a sum over the whole matrix would
// be cut by the number of threads. By the loops that engines take, so that both find the same codes.
at::Tensor mean_by_rows(const at::Tensor& weight, bool magnitudes) {
  if (kernel_for<kernels::Operation::ternary>(weight) == nullptr)
    return (magnitudes ? weight.abs() : weight).mean(1).mean();
  const at::Tensor in = weight.contiguous(), means = at::empty({weight.size(0)}, weight.options());
  const int64_t rows = in.size(0), columns = in.size(1);
  const float* from = in.const_data_ptr<float>();
  float* to = means.mutable_data_ptr<float>();
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    if (magnitudes) return kernels::mean_magnitudes(from, columns, to, begin, end);
    kernels::row_means(from + begin * columns, columns, to + begin, end - begin);
  });
  return at::full({}, kernels::mean_of(to, rows), weight.options().requires_grad(false));
}

at::Tensor ternary_codes(const at::Tensor& weight, const at::Tensor& scale, at::ScalarType type) {
  const auto kernel = kernel_for<kernels::Operation::ternary>(weight);
  if (type != at::kFloat || kernel == nullptr) {
    return (weight * scale.reciprocal()).round_().clamp_(-1, 1).to(type);
  }
  const at::Tensor in = weight.contiguous();
  at::Tensor codes = at::empty_like(in);
  const float inverse = 1.0f / scale.item<float>();
  parallel_elements(in.numel(), [&](int64_t begin, int64_t end) {
    kernel(in.const_data_ptr<float>() + begin, codes.mutable_data_ptr<float>() + begin, end - begin, inverse);
  });
  return codes;
}

struct QuantLinear : Function<QuantLinear> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            int64_t weight_code, bool keep) {
    const at::ScalarType type = compute_type(x);
    const int64_t d_in = weight.size(1);
    const at::Tensor in = x.to(type).reshape({-1, d_in}).contiguous();
    const CodedRows rows = code_rows(in, keep);
    const CodedWeight coded = code_weight(weight, static_cast<WeightCode>(weight_code), type);
    const at::Tensor sums = at::mm(rows.codes, coded.codes.t());  // [N, d_out], integers
    const at::Tensor y = (sums * (rows.step * coded.scale)).to(type);
    context->save_for_backward({weight, rows.bytes, rows.step});
    context->saved_data["code"] = weight_code;
    context->saved_data["type"] = type;
    context->saved_data["x_type"] = x.scalar_type();
    return in_leading_shape(y, x);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &weight = saved[0], &bytes = saved[1], &step = saved[2];
    const at::ScalarType type = context->saved_data["type"].toScalarType();
    const at::Tensor g = gradients[0].reshape({-1, weight.size(0)}).to(type);  // [N, d_out]
    at::Tensor dx, dweight;
    if (context->needs_input_grad(0)) {
      const CodedWeight coded = code_weight(weight, static_cast<WeightCode>(context->saved_data["code"].toInt()), type);
      dx = in_leading_shape(at::mm(rounded_rows(g), (coded.codes * coded.scale).to(type)), gradients[0]);
      dx = dx.to(context->saved_data["x_type"].toScalarType());
    }
    if (context->needs_input_grad(1)) {
      dweight = at::mm(rounded_columns((g * step).to(type)).t(), bytes.to(type)).to(at::kFloat);
    }
    return {dx, dweight, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

CodedWeight code_weight(const at::Tensor& weight, WeightCode code, at::ScalarType type) {
  const at::NoGradGuard no_grad;
  const at::Tensor scale = mean_by_rows(weight, /*magnitudes=*/true);
  if (code == WeightCode::binary) return {sign_of(weight - mean_by_rows(weight, /*magnitudes=*/false), type), scale};
  const at::Tensor clamped = scale.clamp_min(kLeastScale);
  return {ternary_codes(weight, clamped, type), clamped};
}

at::Tensor quant_linear(const at::Tensor& x, const at::Tensor& weight, WeightCode code) {
  const bool keep = at::GradMode::is_enabled() && weight.requires_grad();
  return QuantLinear::apply(x, weight, static_cast<int64_t>(code), keep);
}

}  // namespace bitsweep::nn
