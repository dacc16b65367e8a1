// The one place where a block chooses its implementation.
//
// Every block has a composition of ATen operations that runs on any device and in any precision: the reference. Where
// the table of kernels has something for its operation, input and shape, it takes that. Tests force either and compare.
#pragma once

#include <string>

#include <ATen/core/Tensor.h>

#include "kernels/table.h"

namespace bitsweep::nn {

// The table that blocks of this thread ask.
const kernels::KernelTable& kernel_table();

// Another table on this thread while it lives; it must outlive this. For tests, benchmarks and `profile --reference`.
class WithKernels {
 public:
  explicit WithKernels(const kernels::KernelTable& table);
  ~WithKernels();
  WithKernels(const WithKernels&) = delete;
  WithKernels& operator=(const WithKernels&) = delete;

 private:
  const kernels::KernelTable* before_;
};

// The instruction set that kernels take on this machine, "AVX-512 with VPOPCNTDQ".
std::string kernel_instructions();

kernels::Format kernel_format(const at::Tensor& x);
kernels::KernelDevice kernel_device(const at::Tensor& x);
kernels::KernelShape kernel_shape(const at::Tensor& x);

// The kernel of an operation whose input (in its compute type) is `x`; null: compose it.
template <kernels::Operation operation>
typename kernels::OperationFunction<operation>::Type* kernel_for(const at::Tensor& x) {
  return kernel_table().find<operation>(kernel_format(x), kernel_device(x), kernel_shape(x));
}

}  // namespace bitsweep::nn
