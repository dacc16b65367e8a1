// ±1 matrices as bits: one bit a weight, 1 is +1, least significant first in 64-bit words, rows padded with zeros.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace bitsweep::nn {

int64_t words_of(int64_t columns);

// [rows, columns] bool -> [rows, words_of(columns)] int64.
at::Tensor pack_bits(const at::Tensor& mask);

// [rows, words] int64 -> [rows, columns] of ±1 in `type`.
at::Tensor unpack_signs(const at::Tensor& bits, int64_t columns, at::ScalarType type);

}  // namespace bitsweep::nn
