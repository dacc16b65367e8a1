// Which kernel an operation takes: a block says what it is about to compute (operation, format, device, shape) and gets
// a function, or none; then it composes LibTorch's operations, which run on any device and are what every kernel is
// tested against. A further kernel is a further row: an instruction set, a device, a format, a range of shapes.
//
// Rows are asked in their order and the first that serves is taken, so that the special ones stand before the general.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/cpu_kernels.h"
#include "kernels/flips.h"

namespace bitsweep::kernels {

// What a row computes; its function's type is that of the loop of kernels/cpu_kernels.h or flips.h that defines it.
enum class Operation : uint8_t {
  sign,
  sign_mask,
  residual_sign,
  linear_end,
  linear_end_backward,
  rms_norm,
  rms_norm_backward,
  rms_norm_backward_gamma,
  swiglu,
  swiglu_backward,
  softmax,
  choice,
  top_keys,
  softmax_backward,
  mix_values,
  mix_values_backward,
  quantize,
  ternary,
  flip,
  count
};

enum class Format : uint8_t { f32, bf16, f16, other };  // of the operation's input
enum class KernelDevice : uint8_t { cpu, cuda, other };

// Of the input: its last dimension, and all others together.
struct KernelShape {
  int64_t rows = 1, columns = 1;
};

template <Operation>
struct OperationFunction;
#define BITSWEEP_OPERATION(NAME, LOOP)                \
  template <>                                         \
  struct OperationFunction<Operation::NAME> {         \
    using Type = decltype(::bitsweep::kernels::LOOP); \
  };
BITSWEEP_OPERATION(sign, sign_range)
BITSWEEP_OPERATION(sign_mask, sign_mask_range)
BITSWEEP_OPERATION(residual_sign, residual_sign_range)
BITSWEEP_OPERATION(linear_end, linear_end_rows)
BITSWEEP_OPERATION(linear_end_backward, linear_end_backward)
BITSWEEP_OPERATION(rms_norm, rms_norm_rows)
BITSWEEP_OPERATION(rms_norm_backward, rms_norm_backward_rows)
BITSWEEP_OPERATION(rms_norm_backward_gamma, rms_norm_backward_gamma)
BITSWEEP_OPERATION(swiglu, swiglu_range)
BITSWEEP_OPERATION(swiglu_backward, swiglu_backward_range)
BITSWEEP_OPERATION(softmax, softmax_head)
BITSWEEP_OPERATION(choice, choose_head)
BITSWEEP_OPERATION(top_keys, top_keys_head)
BITSWEEP_OPERATION(softmax_backward, softmax_backward_head)
BITSWEEP_OPERATION(mix_values, mix_values_head)
BITSWEEP_OPERATION(mix_values_backward, mix_values_backward_head)
BITSWEEP_OPERATION(quantize, quantize_rows)
BITSWEEP_OPERATION(ternary, ternary_range)
BITSWEEP_OPERATION(flip, flip_rows)
#undef BITSWEEP_OPERATION

// Lives as long as its table. `name` says which implementation it is ("loops").
struct Kernel {
  const char* name = "";
  KernelDevice device = KernelDevice::cpu;
  Format format = Format::f32;
  int64_t least_columns = 0, most_columns = INT64_MAX;  // of the shapes that it serves
  void (*function)() = nullptr;                         // of the operation's type

  bool serves(Format of, KernelDevice on, KernelShape shape) const {
    return of == format && on == device && shape.columns >= least_columns && shape.columns <= most_columns;
  }
};

class KernelTable {
 public:
  // `limits` gives name, device, format and shapes; the function must be the operation's.
  template <Operation operation>
  void add(Kernel limits, typename OperationFunction<operation>::Type* function) {
    limits.function = reinterpret_cast<void (*)()>(function);
    rows_[static_cast<size_t>(operation)].push_back(limits);
  }

  // Nothing where no kernel serves.
  template <Operation operation>
  typename OperationFunction<operation>::Type* find(Format format, KernelDevice device, KernelShape shape) const {
    const Kernel* kernel = find(operation, format, device, shape);
    return kernel == nullptr ? nullptr
                             : reinterpret_cast<typename OperationFunction<operation>::Type*>(kernel->function);
  }
  const Kernel* find(Operation operation, Format format, KernelDevice device, KernelShape shape) const;

 private:
  std::array<std::vector<Kernel>, static_cast<size_t>(Operation::count)> rows_;
};

// All that this program has. The empty table leaves every operation to LibTorch.
const KernelTable& built_in_kernels();
const KernelTable& no_kernels();

}  // namespace bitsweep::kernels
