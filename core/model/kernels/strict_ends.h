// What lies between the products of a strict model's step: the way back through the sign of a linear's output, and the
// loss of ±1 logits.
#pragma once

#include <cstdint>

#include "kernels/sign_bits.h"

namespace bitsweep::kernels {

// A linear's output y = s · scale − threshold, its sign taken: h = g where |y| <= 1, else 0. All matrices [rows,
// columns], floats row by row.
struct EndBackward {
  const float* gradient = nullptr;   // g; `out` may be the same memory
  const SignBits* inside = nullptr;  // |y| <= 1; null: h is g
  const SignBits* factor = nullptr;  // ±1 that g is multiplied by first (of gate by up); null: 1
  float scale = 1;
  float* out = nullptr;        // h · scale
  float* threshold = nullptr;  // −Σ_rows h [columns], rows in order; null: not asked for
  bool add = false;            // to what threshold has
  int64_t rows = 0, columns = 0;
};
// Columns [32 · first_word, 32 · last_word), as far as there are.
void end_backward_words(const EndBackward& end, int64_t first_word, int64_t last_word);

// Logits of a row are l = dots · scale + bias, [vocab]; its loss is −ln softmax(l)[target].
struct LogitRow {
  const float* bias = nullptr;
  float scale = 1;
  int64_t vocab = 0;
};
// The loss in nats. In place of dots: weight · dloss/dl. scale_gradient: Σ of that times dots.
double cross_entropy_row(const LogitRow& row, float* dots, int64_t target, float weight, double& scale_gradient);
// The loss alone, and the first of the largest logits; dots are used up.
double nats_of_row(const LogitRow& row, float* dots, int64_t target, int64_t& likeliest);

// sums[c] (= or +=) Σ_rows x[r, c] for the columns [first, last), rows in order; then x ·= scale there.
void sum_and_scale_columns(float* x, int64_t rows, int64_t columns, float scale, bool add, float* sums, int64_t first,
                           int64_t last);

// table[index[r]] += x[r] for the columns [first, last) of rows [rows, columns], in order.
void scatter_rows(const float* x, const int64_t* index, int64_t rows, int64_t columns, float* table, int64_t first,
                  int64_t last);

}  // namespace bitsweep::kernels
