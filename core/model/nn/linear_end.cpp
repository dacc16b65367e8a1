#include "nn/linear_end.h"

#include <ATen/ATen.h>

#include "nn/kernel_for.h"
#include "nn/parallel.h"
#include "nn/sign.h"

namespace bitsweep::nn {

at::Tensor linear_end(at::Tensor sums, const at::Tensor& scale, const at::Tensor& threshold, OutputSign output,
                      at::Tensor& inside) {
  const int64_t rows = sums.size(0), columns = sums.size(1);
  const bool sign = output != OutputSign::none;
  if (output == OutputSign::clipped) inside = at::empty({rows, columns}, sums.options().dtype(at::kBool));
  const auto kernel = kernel_for<kernels::Operation::linear_end>(sums);
  if (kernel == nullptr) {
    const at::ScalarType type = sums.scalar_type();
    at::Tensor y = sums.to(at::kFloat).mul_(scale).sub_(threshold);
    if (output == OutputSign::clipped) at::le_out(inside, y.abs(), 1);
    return sign ? sign_of(y, type) : y.to(type);
  }
  const at::Tensor scales = scale.contiguous(), thresholds = threshold.contiguous();
  uint8_t* mask = output == OutputSign::clipped ? static_cast<uint8_t*>(inside.data_ptr()) : nullptr;
  float* data = sums.mutable_data_ptr<float>();
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    kernel(data + begin * columns, scales.const_data_ptr<float>(), thresholds.const_data_ptr<float>(),
           mask != nullptr ? mask + begin * columns : nullptr, sign, end - begin, columns);
  });
  return sums;
}

std::pair<at::Tensor, at::Tensor> sign_backward(const at::Tensor& gradient, const at::Tensor& inside) {
  const int64_t rows = gradient.size(0), columns = gradient.size(1);
  const auto kernel = kernel_for<kernels::Operation::linear_end_backward>(gradient);
  if (kernel == nullptr) {
    at::Tensor h = inside.defined() ? gradient * inside : gradient;
    return {h, h.sum(0, false, at::kFloat)};
  }
  at::Tensor h = inside.defined() ? at::empty_like(gradient) : gradient;
  at::Tensor sums = at::empty({columns}, gradient.options());
  const uint8_t* mask = inside.defined() ? static_cast<const uint8_t*>(inside.const_data_ptr()) : nullptr;
  parallel_columns(rows, columns, [&](int64_t begin, int64_t end) {
    kernel(gradient.const_data_ptr<float>(), mask, mask ? h.mutable_data_ptr<float>() : nullptr,
           sums.mutable_data_ptr<float>(), rows, columns, begin, end);
  });
  return {h, sums};
}

}  // namespace bitsweep::nn
