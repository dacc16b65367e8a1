#include "kernels/table.h"

namespace bitsweep::kernels {
namespace {

// f32 on the CPU, any shape (kernels/cpu_kernels.h, flips.h).
constexpr Kernel kLoops{.name = "loops"};

KernelTable with_loops() {
  KernelTable table;
  table.add<Operation::sign>(kLoops, sign_range);
  table.add<Operation::sign_mask>(kLoops, sign_mask_range);
  table.add<Operation::residual_sign>(kLoops, residual_sign_range);
  table.add<Operation::linear_end>(kLoops, linear_end_rows);
  table.add<Operation::linear_end_backward>(kLoops, linear_end_backward);
  table.add<Operation::rms_norm>(kLoops, rms_norm_rows);
  table.add<Operation::rms_norm_backward>(kLoops, rms_norm_backward_rows);
  table.add<Operation::rms_norm_backward_gamma>(kLoops, rms_norm_backward_gamma);
  table.add<Operation::swiglu>(kLoops, swiglu_range);
  table.add<Operation::swiglu_backward>(kLoops, swiglu_backward_range);
  table.add<Operation::softmax>(kLoops, softmax_head);
  table.add<Operation::choice>(kLoops, choose_head);
  table.add<Operation::top_keys>(kLoops, top_keys_head);
  table.add<Operation::softmax_backward>(kLoops, softmax_backward_head);
  table.add<Operation::mix_values>(kLoops, mix_values_head);
  table.add<Operation::mix_values_backward>(kLoops, mix_values_backward_head);
  table.add<Operation::quantize>(kLoops, quantize_rows);
  table.add<Operation::ternary>(kLoops, ternary_range);
  table.add<Operation::flip>(kLoops, flip_rows);
  return table;
}

}  // namespace

const Kernel* KernelTable::find(Operation operation, Format format, KernelDevice device, KernelShape shape) const {
  for (const Kernel& kernel : rows_[static_cast<size_t>(operation)])
    if (kernel.serves(format, device, shape)) return &kernel;
  return nullptr;
}

const KernelTable& built_in_kernels() {
  static const KernelTable table = with_loops();
  return table;
}

const KernelTable& no_kernels() {
  static const KernelTable table;
  return table;
}

}  // namespace bitsweep::kernels
