#include "nn/gated_ffn.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "nn/kernel_for.h"
#include "nn/parallel.h"

namespace bitsweep::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

struct Swiglu : Function<Swiglu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& gate, const at::Tensor& up) {
    const at::Tensor g = gate.contiguous(), u = up.contiguous();
    context->save_for_backward({g, u});
    const auto kernel = kernel_for<kernels::Operation::swiglu>(g);
    if (kernel == nullptr) return at::silu(g) * u;
    at::Tensor out = at::empty_like(g);
    parallel_elements(g.numel(), [&](int64_t begin, int64_t end) {
      kernel(g.const_data_ptr<float>() + begin, u.const_data_ptr<float>() + begin,
             out.mutable_data_ptr<float>() + begin, end - begin);
    });
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &gate = saved[0], &up = saved[1];
    const at::Tensor g = gradients[0].contiguous();
    const auto kernel = kernel_for<kernels::Operation::swiglu_backward>(gate);
    if (kernel == nullptr) {
      const at::Tensor sigmoid = at::sigmoid(gate), silu = gate * sigmoid;
      return {g * up * (sigmoid + silu * (1 - sigmoid)), g * silu};
    }
    at::Tensor dgate = at::empty_like(gate), dup = at::empty_like(up);
    parallel_elements(gate.numel(), [&](int64_t begin, int64_t end) {
      kernel(gate.const_data_ptr<float>() + begin, up.const_data_ptr<float>() + begin,
             g.const_data_ptr<float>() + begin, dgate.mutable_data_ptr<float>() + begin,
             dup.mutable_data_ptr<float>() + begin, end - begin);
    });
    return {dgate, dup};
  }
};

struct Relu2glu : Function<Relu2glu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& gate, const at::Tensor& up) {
    context->save_for_backward({gate, up});
    return at::relu(gate).square_().mul_(up);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &up = saved[1], &g = gradients[0], open = at::relu(saved[0]);
    return {(g * up).mul_(open).mul_(2), g * open.square()};
  }
};

}  // namespace

at::Tensor relu2glu(const at::Tensor& gate, const at::Tensor& up) { return Relu2glu::apply(gate, up); }

at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up) { return Swiglu::apply(gate, up); }

}  // namespace bitsweep::nn
