// Products of rows of 8 bits with a matrix of small codes, exact: what a linear of BitNet multiplies forward.
//
//   C[i, o] = scale[i] · Σ_r q[i, r] · w[o, r]          q int8 in [−127, 127], w in {−1, 0, 1}, C [rows, outputs] f32
//
// The sums are integers, so a result depends on no order. Codes are kept as w + 1, as instructions multiply unsigned
// bytes with signed ones, and what that adds is taken off again: a row's own sum.
#pragma once

#include <cstdint>

#include "kernels/buffer.h"
#include "kernels/isa.h"

namespace bitsweep::kernels {

inline constexpr int64_t kByteGroup = 4;                                       // terms that an instruction adds up
inline constexpr int64_t kMostByteTerms = (int64_t{1} << 31) / (2 * 127) - 1;  // whose sums an int32 holds

// Rows of bytes with a scale each, [rows, terms]; behind a row's terms there is 0.
class ByteRows {
 public:
  ByteRows() = default;
  ByteRows(int64_t rows, int64_t terms);
  static int64_t memory(int64_t rows, int64_t terms);  // in bytes

  int64_t terms() const { return terms_; }
  int64_t step() const { return step_; }  // from row to row
  int8_t* row(int64_t r) const { return bytes_.at(r * step_); }
  float* scales() const { return scales_.data(); }
  int64_t allocated() const { return bytes_.bytes() + scales_.bytes(); }

 private:
  int64_t terms_ = 0, step_ = 0;
  Buffer<int8_t> bytes_;
  Buffer<float> scales_;
};

// Codes by panels of kCodeColumns outputs: of four terms after four those of all outputs, [panel][terms/4][outputs][4].
inline constexpr int64_t kCodeColumns = 32;
class CodeMatrix {
 public:
  CodeMatrix() = default;
  CodeMatrix(int64_t outputs, int64_t terms);
  static int64_t memory(int64_t outputs, int64_t terms);

  // Of codes [outputs, terms] as floats, those of outputs [first, last), whole panels but for the last one.
  void fill(const float* codes, int64_t first, int64_t last);

  int64_t outputs() const { return outputs_; }
  int64_t terms() const { return terms_; }
  int64_t groups() const { return groups_; }
  const uint8_t* panel(int64_t p) const { return bytes_.at(p * groups_ * kCodeColumns * kByteGroup); }
  int64_t allocated() const { return bytes_.bytes(); }

 private:
  int64_t outputs_ = 0, terms_ = 0, groups_ = 0;
  Buffer<uint8_t> bytes_;
};

struct ByteProduct {
  const ByteRows* rows = nullptr;
  const CodeMatrix* codes = nullptr;
  float scale = 1;  // of the matrix: a row's sums are multiplied by scale · the row's own, once
  float* c = nullptr;
  int64_t c_step = 0;
};
// Where callers cut rows for their threads.
inline constexpr int64_t kByteTileRows = 12;
// Rows [first, last) of C.
void byte_product_rows(const ByteProduct& product, int64_t first, int64_t last);

// What an instruction set does: Σ_r q · (w + 1) of a few rows and a panel, sums [rows, kCodeColumns].
struct ByteTile {
  const int8_t* rows = nullptr;
  int64_t row_step = 0, groups = 0;
  const uint8_t* panel = nullptr;
  int32_t* sums = nullptr;
};
struct ByteKernels {
  int64_t tile_rows;
  void (*tile)(int64_t rows, const ByteTile& tile);  // of 1 to tile_rows rows
};
const ByteKernels& byte_kernels(Isa isa);

}  // namespace bitsweep::kernels
