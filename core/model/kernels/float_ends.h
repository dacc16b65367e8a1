// What lies between the products of a step whose activations are floats (nn/llama_stack.h). Matrices are row by row;
// rows are made alone, so that callers may cut them for their threads.
#pragma once

#include <cstdint>

namespace bitsweep::kernels {

// RoPE (nn/rotary.h) of rows of heads of `size` numbers, in place: of each head the pair (i, i + size/2) turns by the
// angle of its row. cosines and sines [rows, size/2]; back: by the angle's negative, which is the gradient's way.
void turn_rows(float* x, int64_t rows, int64_t heads, int64_t size, const float* cosines, const float* sines,
               bool back);

// out = relu(gate)² · up, and its backward.
void relu2glu_range(const float* gate, const float* up, float* out, int64_t count);
void relu2glu_backward_range(const float* gate, const float* up, const float* gradient, float* dgate, float* dup,
                             int64_t count);

// out = x less the mean of its row, [rows, d]; in place where both are the same.
void centre_rows(const float* x, float* out, int64_t rows, int64_t d);

// means[r] = Σ w[r] / columns, for rows [0, rows) of w [rows, columns].
void row_means(const float* w, int64_t columns, float* means, int64_t rows);
// Σ x / count, in lanes of a fixed order.
float mean_of(const float* x, int64_t count);

// codes = ±1, + where w >= mean; and of such codes, or those of ternary_range (cpu_kernels.h), out = codes · scale.
void binary_range(const float* w, float* codes, int64_t count, float mean);
void scale_range(const float* codes, float* out, int64_t count, float scale);
// out = bytes · scale.
void widen_bytes(const int8_t* bytes, float* out, int64_t count, float scale);

}  // namespace bitsweep::kernels
