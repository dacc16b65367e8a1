#include "nn/sign.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "nn/kernel_for.h"
#include "nn/parallel.h"

namespace bitsweep::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

struct SignSte : Function<SignSte> {
  static at::Tensor forward(AutogradContext*, const at::Tensor& x) { return sign_of(x, x.scalar_type()); }
  static variable_list backward(AutogradContext*, variable_list gradients) { return {gradients[0]}; }
};

struct SignSteClipped : Function<SignSteClipped> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x) {
    const auto kernel = kernel_for<kernels::Operation::sign_mask>(x);
    if (kernel == nullptr) {
      context->save_for_backward({x.abs().le(1)});
      return sign_of(x, x.scalar_type());
    }
    const at::Tensor in = x.contiguous();
    at::Tensor out = at::empty_like(in), inside = at::empty(in.sizes(), at::kBool);
    uint8_t* mask = static_cast<uint8_t*>(inside.data_ptr());
    parallel_elements(in.numel(), [&](int64_t begin, int64_t end) {
      kernel(in.const_data_ptr<float>() + begin, out.mutable_data_ptr<float>() + begin, mask + begin, end - begin);
    });
    context->save_for_backward({inside});
    return out;
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {gradients[0] * context->get_saved_variables()[0]};
  }
};

struct ResidualSign : Function<ResidualSign> {
  static at::Tensor forward(AutogradContext*, const at::Tensor& x, const at::Tensor& a, const at::Tensor& b) {
    const bool one_type = a.scalar_type() == x.scalar_type() && b.scalar_type() == x.scalar_type();
    const auto kernel = kernel_for<kernels::Operation::residual_sign>(x);
    if (!one_type || kernel == nullptr) return sign_of(x + a + b, x.scalar_type());
    const at::Tensor xs = x.contiguous(), as = a.contiguous(), bs = b.contiguous();
    at::Tensor out = at::empty_like(xs);
    parallel_elements(xs.numel(), [&](int64_t begin, int64_t end) {
      kernel(xs.const_data_ptr<float>() + begin, as.const_data_ptr<float>() + begin, bs.const_data_ptr<float>() + begin,
             out.mutable_data_ptr<float>() + begin, end - begin);
    });
    return out;
  }
  static variable_list backward(AutogradContext*, variable_list gradients) {
    return {gradients[0], gradients[0], gradients[0]};
  }
};

}  // namespace

at::Tensor sign_of(const at::Tensor& x, at::ScalarType type) {
  at::NoGradGuard no_grad;
  const auto kernel = kernel_for<kernels::Operation::sign>(x);
  if (type != at::kFloat || kernel == nullptr) {
    return x.ge(0).to(type).mul_(2).sub_(1);
  }
  const at::Tensor in = x.contiguous();
  at::Tensor out = at::empty_like(in);
  parallel_elements(in.numel(), [&](int64_t begin, int64_t end) {
    kernel(in.const_data_ptr<float>() + begin, out.mutable_data_ptr<float>() + begin, end - begin, 1.0f);
  });
  return out;
}

at::Tensor sign_of_rows(const at::Tensor& x, const at::Tensor& magnitude, at::ScalarType type) {
  at::NoGradGuard no_grad;
  const int64_t rows = x.size(0), columns = x.size(1);
  const auto kernel = kernel_for<kernels::Operation::sign>(x);
  if (type != at::kFloat || kernel == nullptr) {
    return sign_of(x, at::kFloat).mul_(magnitude.unsqueeze(1)).to(type);
  }
  const at::Tensor in = x.contiguous(), sizes = magnitude.contiguous();
  at::Tensor out = at::empty_like(in);
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      kernel(in.const_data_ptr<float>() + r * columns, out.mutable_data_ptr<float>() + r * columns, columns,
             sizes.const_data_ptr<float>()[r]);
    }
  });
  return out;
}

at::Tensor sign_ste(const at::Tensor& x) { return SignSte::apply(x); }
at::Tensor sign_ste_clipped(const at::Tensor& x) { return SignSteClipped::apply(x); }
at::Tensor residual_sign(const at::Tensor& x, const at::Tensor& a, const at::Tensor& b) {
  return ResidualSign::apply(x, a, b);
}

}  // namespace bitsweep::nn
