#include "nn/rms_norm.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "nn/block_scope.h"
#include "nn/kernel_for.h"
#include "nn/parallel.h"

namespace bitsweep::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

struct RmsNormFunction : Function<RmsNormFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& gamma, double epsilon) {
    const int64_t d = gamma.size(0);
    const at::Tensor in = x.reshape({-1, d}).contiguous();  // [N, d]
    const int64_t rows = in.size(0);
    at::Tensor out, inverse;  // [N, d], [N]
    const auto kernel = kernel_for<kernels::Operation::rms_norm>(in);
    if (kernel == nullptr) {
      const at::Tensor wide = in.to(at::kFloat);
      inverse = wide.square().mean(1).add_(epsilon).rsqrt_();
      out = (wide * inverse.unsqueeze(1) * gamma).to(x.scalar_type());
    } else {
      out = at::empty_like(in);
      inverse = at::empty({rows}, in.options());
      parallel_rows(rows, d, [&](int64_t begin, int64_t end) {
        kernel(in.const_data_ptr<float>() + begin * d, gamma.const_data_ptr<float>(),
               out.mutable_data_ptr<float>() + begin * d, inverse.mutable_data_ptr<float>() + begin, end - begin, d,
               static_cast<float>(epsilon));
      });
    }
    context->save_for_backward({in, gamma, inverse});
    return out.view(x.sizes());
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &gamma = saved[1], &inverse = saved[2];
    const int64_t rows = x.size(0), d = x.size(1);
    const at::Tensor g = gradients[0].reshape({-1, d}).to(x.scalar_type()).contiguous();
    at::Tensor dx, dgamma;
    const auto into_x = kernel_for<kernels::Operation::rms_norm_backward>(x);
    const auto into_gamma = kernel_for<kernels::Operation::rms_norm_backward_gamma>(x);
    if (into_x == nullptr || into_gamma == nullptr) {
      const at::Tensor wide = x.to(at::kFloat), inv = inverse.unsqueeze(1), normed = wide * inv;
      const at::Tensor scaled = g.to(at::kFloat) * gamma;
      dx = (inv * (scaled - normed * (scaled * normed).mean(1, true))).to(x.scalar_type());
      dgamma = (g.to(at::kFloat) * normed).sum(0);
    } else {
      dx = at::empty_like(x);
      dgamma = at::empty({d}, x.options());
      const float* inv = inverse.const_data_ptr<float>();
      parallel_rows(rows, d, [&](int64_t begin, int64_t end) {
        into_x(x.const_data_ptr<float>() + begin * d, gamma.const_data_ptr<float>(), inv + begin,
               g.const_data_ptr<float>() + begin * d, dx.mutable_data_ptr<float>() + begin * d, end - begin, d);
      });
      parallel_columns(rows, d, [&](int64_t begin, int64_t end) {
        into_gamma(x.const_data_ptr<float>(), inv, g.const_data_ptr<float>(), dgamma.mutable_data_ptr<float>(), rows, d,
                   begin, end);
      });
    }
    return {dx.view(gradients[0].sizes()), dgamma, at::Tensor()};
  }
};

}  // namespace

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& gamma, double epsilon) {
  return RmsNormFunction::apply(x, gamma, epsilon);
}

RmsNorm::RmsNorm(const ParameterSink& sink, int64_t d, double epsilon)
    : gamma_(sink.constant("gamma", {d}, 1.0)), epsilon_(epsilon) {}

at::Tensor RmsNorm::forward(const at::Tensor& x) const {
  BITSWEEP_BLOCK("norm");
  return rms_norm(x, gamma_, epsilon_);
}

}  // namespace bitsweep::nn
