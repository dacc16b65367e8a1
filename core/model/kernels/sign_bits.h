// ±1 matrices as bits, and what is done to them a word at a time.
#pragma once

#include <cstdint>

#include "kernels/buffer.h"

namespace bitsweep::kernels {

inline constexpr int64_t kWordBits = 32;

constexpr int64_t rounded_up(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

// A ±1 matrix [rows, columns] as sign bits: 1 is −1, as in a float, and 0 is +1. Bits beyond the matrix are 0.
//
// Word w of a row holds its columns [32w, 32w + 32), the least significant first; the words w of all rows lie together,
// word(w)[row]. So one layout is both operands of bit_products.h, whose lanes are rows; a head's queries, keys and
// values in a row; and, transposed, the index of table_products.h. Behind the last row of each word there is room that
// a vector may read and write.
class SignBits {
 public:
  SignBits() = default;
  SignBits(int64_t rows, int64_t columns);

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  int64_t words() const { return words_; }
  uint32_t* word(int64_t w) const { return bits_.at(w * stride_); }
  int64_t stride() const { return stride_; }  // from word(w) to word(w + 1)
  // Those of the last word that are columns.
  uint32_t last_word_mask() const;

  bool negative(int64_t row, int64_t column) const { return word(column / kWordBits)[row] >> (column % kWordBits) & 1; }

  // What a matrix of this size takes.
  static int64_t bytes(int64_t rows, int64_t columns);

 private:
  int64_t rows_ = 0, columns_ = 0, words_ = 0, stride_ = 0;
  Buffer<uint32_t> bits_;
};

// All of these take rows [first, last), so that callers can cut them for threads.

// out[r] = sign(x[r]), x [rows, columns] f32: −1 wherever not x >= 0 (NaN too), +1 at ±0.
void pack_signs(const float* x, SignBits& out, int64_t first, int64_t last);
// Row r of it alone, from a row of its own.
void pack_row(const float* row, SignBits& out, int64_t r);
// out = inᵀ: the words of out that hold in's rows [first, last), both multiples of 32 (or the end).
void transpose_signs(const SignBits& in, SignBits& out, int64_t first, int64_t last);
// out = a ⊙ b.
void multiply_signs(const SignBits& a, const SignBits& b, SignBits& out, int64_t first, int64_t last);
// out = sign(a + b + c), the strict residual.
void majority_signs(const SignBits& a, const SignBits& b, const SignBits& c, SignBits& out, int64_t first,
                    int64_t last);

// Columns [column, column + count) of rows [first, first + rows) as a matrix of their own, out [rows or more, count].
void take_columns(const SignBits& in, int64_t first, int64_t rows, int64_t column, int64_t count, SignBits& out);
// ±1 as floats, out [rows, columns] of rows [0, rows).
void unpack_signs_to(const SignBits& in, int64_t rows, float* out);

// Of columns [column, column + count) of `in`, whose rows [first, first + rows) a sequence has, the vote of each row's
// `keys` rows, index [rows, keys] into these: the sign of their sum, +1 where they are even. Row t has min(keys, t + 1)
// of them. Put into the same columns and rows [first + begin, first + end) of `out`, which were 0.
inline constexpr int64_t kMostVotes = 64;
void vote_columns(const SignBits& in, const int32_t* index, int64_t keys, int64_t first, int64_t begin, int64_t end,
                  int64_t column, int64_t count, SignBits& out);

}  // namespace bitsweep::kernels
