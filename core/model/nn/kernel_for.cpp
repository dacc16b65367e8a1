#include "nn/kernel_for.h"

#include <ATen/ATen.h>

#include "kernels/isa.h"

namespace bitsweep::nn {
namespace {

thread_local const kernels::KernelTable* table_of_thread = nullptr;

}  // namespace

const kernels::KernelTable& kernel_table() {
  return table_of_thread != nullptr ? *table_of_thread : kernels::built_in_kernels();
}

WithKernels::WithKernels(const kernels::KernelTable& table) : before_(table_of_thread) { table_of_thread = &table; }
WithKernels::~WithKernels() { table_of_thread = before_; }

std::string kernel_instructions() { return kernels::isa_name(kernels::best_isa()); }

kernels::Format kernel_format(const at::Tensor& x) {
  switch (x.scalar_type()) {
    case at::kFloat:
      return kernels::Format::f32;
    case at::kBFloat16:
      return kernels::Format::bf16;
    case at::kHalf:
      return kernels::Format::f16;
    default:
      return kernels::Format::other;
  }
}

kernels::KernelDevice kernel_device(const at::Tensor& x) {
  if (x.device().is_cpu()) return kernels::KernelDevice::cpu;
  return x.device().is_cuda() ? kernels::KernelDevice::cuda : kernels::KernelDevice::other;
}

kernels::KernelShape kernel_shape(const at::Tensor& x) {
  const int64_t columns = x.dim() == 0 ? 1 : x.size(-1);
  return {columns == 0 ? 0 : x.numel() / columns, columns};
}

}  // namespace bitsweep::nn
