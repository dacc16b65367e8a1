// An update of a ±1 matrix that has no latent (nn/flip_rule.h): what the squares of its gradient are on average, and
// which weights flip, in a pass over the gradient each. Every instruction set and every cut into rows gives the same
// bits.
//
// The sums' one order, in f32: squares of a row in 16 lanes, column c in lane c mod 16, over 1024 columns; the lanes by
// halves; these sums in order. Squares of a column over 64 rows in order, and these sums in f64 in order, as are those
// of rows to that of the matrix.
#pragma once

#include <cstdint>

#include "kernels/twister.h"

namespace bitsweep::kernels {

inline constexpr int64_t kSquareRows = 64;
constexpr int64_t square_blocks(int64_t rows) { return (rows + kSquareRows - 1) / kSquareRows; }

// Of the rows [first, last) of a gradient [rows, columns], both multiples of kSquareRows (or the end): the sums of
// squares of_rows [rows] and, of each kSquareRows rows, of_columns [square_blocks(rows), columns].
void square_sums(const float* gradient, int64_t columns, int64_t first, int64_t last, float* of_rows,
                 float* of_columns);

// means[i] += share · (m − means[i]), m = Σ_part sums[part, i] / terms; sums [parts, count], means [count].
void follow_means(const float* sums, int64_t parts, int64_t count, int64_t terms, float share, float* means);

// out[i] = 1 / sqrt(means[i] / unit); each quotient, and unit itself, as 1e-30 at least. NaN stays NaN.
void inverse_roots(const float* means, int64_t count, float unit, float* out);

// What a weight's counter s gains of its gradient g, which is n = (g · row_factor) · column_factor.
enum class FlipVote : uint8_t {
  linear,   // share · n
  rounded,  // n rounded to an integer, up with the probability of its fraction
  sign,     // share · sign(g), 0 for NaN
};

// s ← s · keep + vote, `linear` within [low, high]. The weight w flips where s · w > above (or −s · w, if `turned`);
// then, if `reset`, s = 0. A NaN flips nothing.
//
// Counters of 4, 8 and 16 bits hold s / unit in whole levels, rounded up with the probability of the fraction, within
// ±most; NaN becomes 0. In 32 bits they are s itself, f32.
struct FlipUpdate {
  const float* gradient = nullptr;       // [rows, columns]
  const float* row_factor = nullptr;     // [rows]; `sign` reads none
  const float* column_factor = nullptr;  // [columns]
  uint64_t* bits = nullptr;              // the weights, as in nn/bits.h
  void* counter = nullptr;  // [rows, columns] int8, int16 or f32; 4 bits: [rows, ceil(columns/2)], level + 8 each, even
                            // columns low
  int64_t columns = 0;
  int state_bits = 8;
  FlipVote vote = FlipVote::linear;
  float keep = 1, share = 1, low = 0, high = 0, above = 0;
  bool turned = false, reset = false;
  float unit = 1, per_unit = 1, most = 1;  // per_unit: 1 / unit

  bool draws_votes() const { return vote == FlipVote::rounded; }
  bool draws_levels() const { return state_bits < 32; }
};

// Rows [first, last); returns how many weights flipped. A weight takes one number from each of the two that is drawn
// from (the other may be null), in the order of the matrix: they stand at the number of row `first`, and come to that
// of row `last`.
int64_t flip_rows(const FlipUpdate& update, int64_t first, int64_t last, Twister* votes, Twister* levels);

}  // namespace bitsweep::kernels
