// Which precision a forward pass computes in: f32, or bf16 by LibTorch's autocast (parameters, gradients and optimizer
// stay f32; no loss scaling is needed, bf16 has f32's range). CPU and CUDA.
//
// On f32: nothing here permits rounding below f32. LibTorch's f32 matmul goes to MKL, which does not reach AVX-512
// speed on AMD; oneDNN does, by Context::setFloat32Precision(MKLDNN, MATMUL, BF16), but that is a permission to round
// to bf16 which a CPU with AMX takes. So it is not set: a run that says f32 is f32.
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

namespace bitsweep::train {

enum class Precision { f32, bf16 };

// Throws Error{input} for another word.
Precision parse_precision(std::string_view word);

// While it lives, forward passes on this thread and device type run in `precision`.
class PrecisionScope {
 public:
  PrecisionScope(at::DeviceType device, Precision precision);
  ~PrecisionScope();
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;

 private:
  at::DeviceType device_;
  bool active_;
  bool was_enabled_ = false;
  at::ScalarType old_type_ = at::kFloat;
};

}  // namespace bitsweep::train
