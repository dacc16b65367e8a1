#include "nn/rotary.h"

#include <algorithm>
#include <numbers>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

namespace bitsweep::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// x [B, T, H·d_h]; cos, sin [T, d_h/2]
at::Tensor turned(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  const int64_t half = cos.size(1);
  const at::Tensor pairs = x.to(at::kFloat).reshape({x.size(0), x.size(1), -1, 2, half});  // [B, T, H, 2, d_h/2]
  const at::Tensor one = pairs.select(3, 0), two = pairs.select(3, 1), c = cos.unsqueeze(1), s = sin.unsqueeze(1);
  const at::Tensor first = (one * c).sub_(two * s), second = (two * c).add_(one * s);
  return at::stack({first, second}, 3).view(x.sizes()).to(x.scalar_type());
}

struct Turn : Function<Turn> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& cos,
                            const at::Tensor& sin) {
    context->save_for_backward({cos, sin});
    return turned(x, cos, sin);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    return {turned(gradients[0], saved[0], saved[1].neg()), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor Rotary::forward(const at::Tensor& x, int64_t first) {
  const auto [cos, sin] = tables(first + x.size(1), x.device());
  return Turn::apply(x, cos.narrow(0, first, x.size(1)), sin.narrow(0, first, x.size(1)));
}

std::pair<at::Tensor, at::Tensor> Rotary::tables(int64_t positions, at::Device device) {
  if (!cos_.defined() || cos_.size(0) < positions || cos_.device() != device) make_table(positions, device);
  return {cos_, sin_};
}

// Room for more than is asked for: decoding asks for one position after the other.
void Rotary::make_table(int64_t positions, at::Device device) {
  constexpr int64_t kStep = 256;
  const at::NoGradGuard no_grad;
  const at::TensorOptions wide = at::TensorOptions(at::kFloat).device(device);
  const at::Tensor powers = at::arange(0, head_size_, 2, wide).div_(static_cast<double>(head_size_));
  at::Tensor frequencies = at::pow(theta_, powers).reciprocal_();  // [d_h/2]
  if (scaling_.factor != 1) {
    const at::Tensor turns = frequencies * (static_cast<double>(scaling_.positions) / (2 * std::numbers::pi));
    const at::Tensor kept = (turns - scaling_.low).div_(scaling_.high - scaling_.low).clamp_(0, 1);
    frequencies = frequencies * (kept + (1 - kept) / scaling_.factor);
  }
  const at::Tensor places = at::arange((positions + kStep - 1) / kStep * kStep, wide);
  const at::Tensor angles = places.unsqueeze(1) * frequencies.unsqueeze(0);
  cos_ = angles.cos();
  sin_ = angles.sin();
}

}  // namespace bitsweep::nn
