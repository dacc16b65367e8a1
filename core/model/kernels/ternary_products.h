// Products of floats with a matrix of {−1, 0, 1} by look-up, three terms at a time: the gradient of what a ternary
// linear reads.
//
//   C[i, j] = (or +=) Σ_r A[i, r] · W[r, j]          A [rows, terms] f32, W [terms, columns], C [rows, columns] f32
//
// The order of every sum is fixed, whatever the instruction set, the cut and the neighbours: over three terms
// (x + y) + z, each of −a, 0 · a or a; over 84 such threes in their order, from 0; over these blocks of 252 terms in
// their order; and that, where C is added to, to C. So a result is the same bits everywhere.
#pragma once

#include <cstdint>

#include "kernels/buffer.h"
#include "kernels/float_rows.h"
#include "kernels/isa.h"

namespace bitsweep::kernels {

inline constexpr int64_t kTernaryGroup = 3, kTernaryWordTerms = 18, kTernaryBlock = 14 * kTernaryWordTerms;

// W as look-ups read it: five bits a column and three terms, (x + 1) + 3 (y + 1) + 9 (z + 1), six of them a word.
class TernaryIndex {
 public:
  TernaryIndex() = default;
  TernaryIndex(int64_t terms, int64_t columns);
  static int64_t memory(int64_t terms, int64_t columns);  // in bytes

  // Of codes [terms, columns] as floats, those of terms [first, last), which begin and, but for the last, end at a
  // word.
  void fill(const float* codes, int64_t first, int64_t last);

  int64_t terms() const { return terms_; }
  int64_t columns() const { return columns_; }
  int64_t stride() const { return stride_; }  // from word to word, all columns of it side by side
  const uint32_t* words() const { return words_.data(); }
  int64_t allocated() const { return words_.bytes(); }

 private:
  int64_t terms_ = 0, columns_ = 0, stride_ = 0;
  Buffer<uint32_t> words_;
};

struct TernaryProduct {
  FloatRows a;
  const TernaryIndex* index = nullptr;
  float* c = nullptr;
  int64_t c_step = 0;
  bool add = false;  // to what C has
};
// Where callers cut rows for their threads, so that an instruction set's are whole.
inline constexpr int64_t kTernaryRows = 16;
// Rows [first, last) of C.
void ternary_product_rows(const TernaryProduct& product, int64_t first, int64_t last);

// What an instruction set does: rows [first, last), a multiple of kTernaryRows. Null: the plain loop takes any.
using TernaryRows = void (*)(const TernaryProduct& product, int64_t first, int64_t last);
TernaryRows ternary_rows(Isa isa);

}  // namespace bitsweep::kernels
