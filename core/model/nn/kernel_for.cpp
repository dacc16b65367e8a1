#include "nn/kernel_for.h"

#include <ATen/ATen.h>

namespace bitsweep {
namespace {

thread_local const KernelTable* table_of_thread = nullptr;

}  // namespace

const KernelTable& kernel_table() { return table_of_thread != nullptr ? *table_of_thread : built_in_kernels(); }

WithKernels::WithKernels(const KernelTable& table) : before_(table_of_thread) { table_of_thread = &table; }
WithKernels::~WithKernels() { table_of_thread = before_; }

Format kernel_format(const at::Tensor& x) {
  switch (x.scalar_type()) {
    case at::kFloat:
      return Format::f32;
    case at::kBFloat16:
      return Format::bf16;
    case at::kHalf:
      return Format::f16;
    default:
      return Format::other;
  }
}

KernelDevice kernel_device(const at::Tensor& x) {
  if (x.device().is_cpu()) return KernelDevice::cpu;
  return x.device().is_cuda() ? KernelDevice::cuda : KernelDevice::other;
}

KernelShape kernel_shape(const at::Tensor& x) {
  const int64_t columns = x.dim() == 0 ? 1 : x.size(-1);
  return {columns == 0 ? 0 : x.numel() / columns, columns};
}

}  // namespace bitsweep
