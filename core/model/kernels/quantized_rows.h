// Rows of f32 rounded to small integers, one scale a row: A[i, r] ≈ q[i, r] · scale[i]. What quantized_products.h
// multiplies.
//
// - int16: to the nearest, ties to even. The scale is as fine as keeps Σ|q| over every 120 consecutive terms (from the
//   first) within int16, so that such sums may be taken in 16 bits.
// - s6: |q| <= 31, q = floor(v + u) with v = A · 31 / max|A| and u of 8 random bits, which is unbiased: training stands
//   few bits where rounding is unbiased and not where it is to the nearest (Gupta, Agrawal, Gopalakrishnan, Narayanan,
//   "Deep learning with limited numerical precision", ICML 2015). v is taken to 1/256.
//
// A row whose maximum (int16: largest sum) is below 1e-30 becomes 0. One that has a NaN or an infinity, or (int16) a
// sum of 120 beyond f32, gets the scale NaN, and so does each of its products.
//
// Every q and scale is a function of the row's values, the key and the place (row, term) of the matrix: it is the same
// bits on every instruction set, whichever way A lies, and however rows are cut.
#pragma once

#include <cstdint>

#include "kernels/buffer.h"
#include "kernels/table_products.h"

namespace bitsweep::kernels {

enum class QuantizedKind : uint8_t { int16, s6 };

// The |q| of so many terms add up to less than 2^29 (int16: 32767 per 120 terms; s6: 31 each), which int32 sums hold.
inline constexpr int64_t kMostQuantizedDepth = int64_t{1} << 20;
inline constexpr int64_t kInt16SumTerms = 120;

class QuantizedRows {
 public:
  // Of [rows, depth]; allocates only where it never had so many. Throws std::length_error if depth is more than
  // kMostQuantizedDepth.
  void shape(QuantizedKind kind, int64_t rows, int64_t depth);

  QuantizedKind kind() const { return kind_; }
  int64_t rows() const { return rows_; }
  int64_t depth() const { return depth_; }
  float* scales() const { return scales_.data(); }  // [rows]
  // Terms of a row; behind them are at least 64 zeros. The kind says which of the two there is.
  int16_t* words(int64_t row) const { return words_.at(row * step_); }
  int8_t* bytes(int64_t row) const { return bytes_.at(row * step_); }

  // What shape() takes.
  static int64_t memory(QuantizedKind kind, int64_t rows, int64_t depth);
  // What all of its shapes so far have taken.
  int64_t allocated() const { return scales_.bytes() + words_.bytes() + bytes_.bytes(); }

 private:
  QuantizedKind kind_ = QuantizedKind::int16;
  int64_t rows_ = 0, depth_ = 0, step_ = 0;
  Buffer<float> scales_;
  Buffer<int16_t> words_;
  Buffer<int8_t> bytes_;
};

// Rows [first, last) of `a`, of out's shape. `key` is s6's alone: the noise of (key, row, term) is the same wherever it
// is asked for, so every matrix to be rounded needs its own. A thread keeps 32 KB of room.
void round_rows(const FloatRows& a, uint64_t key, QuantizedRows& out, int64_t first, int64_t last);

// The u of s6, in units of 1/256: 0 … 255.
uint32_t rounding_noise(uint64_t key, int64_t row, int64_t term);

}  // namespace bitsweep::kernels
