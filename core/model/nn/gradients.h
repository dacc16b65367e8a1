// What the gradients of the outputs of 1-bit linears and of the ±1 head are rounded to where the backward pass
// multiplies them with integers: not at all; to the nearest of int16; to 6 bits by chance, without bias. Each row of a
// product has its scale (kernels/quantized_rows.h). Engines multiply the integers; the blocks multiply floats that are
// such integers times their scale, which means the same.
#pragma once

#include <cstdint>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace bitsweep::nn {

enum class Gradients : uint8_t { f32, int16, s6 };

// "int16". Throws Error{input} for another word.
Gradients parse_gradients(std::string_view word);

// Throws Error{input} where rounded sums of so many terms do not hold.
inline constexpr const char *kTokens = "tokens a micro-batch, of which train.accumulate makes more",
                            *kSymbols = "symbols";
void require_roundable(int64_t count, const char* of_what);

// While it lives, the backward passes of this thread's blocks round, on a CPU and in f32. Each matrix that is rounded
// by chance has a stream of its own under the key, in the order in which they are asked for.
class WithRounding {
 public:
  WithRounding(Gradients gradients, uint64_t key);
  ~WithRounding();
  WithRounding(const WithRounding&) = delete;
  WithRounding& operator=(const WithRounding&) = delete;
};
bool rounds_gradients();

// gradient [N, out], where something rounds: every row with a scale, for its product with a weight [out, in]; every
// column, for that of its transposed with an input [N, in]. Else the gradient itself.
at::Tensor rounded_rows(const at::Tensor& gradient);
at::Tensor rounded_columns(const at::Tensor& gradient);

}  // namespace bitsweep::nn
