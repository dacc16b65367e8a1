// What kernels round to for a `train.gradients`; apart from gradients.h, which plugins see and kernels are unknown to.
#pragma once

#include <optional>

#include "kernels/quantized_rows.h"
#include "nn/gradients.h"

namespace bitsweep::nn {

// Nothing for f32.
inline std::optional<kernels::QuantizedKind> rounding_kind(Gradients gradients) {
  if (gradients == Gradients::f32) return std::nullopt;
  return gradients == Gradients::int16 ? kernels::QuantizedKind::int16 : kernels::QuantizedKind::s6;
}

}  // namespace bitsweep::nn
