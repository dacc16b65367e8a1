// A ±1 matrix in the order in which an instruction set's tables look it up (quantized_products.h).
#pragma once

#include <cstdint>

#include "kernels/buffer.h"
#include "kernels/isa.h"
#include "kernels/quantized_rows.h"
#include "kernels/sign_bits.h"

namespace bitsweep::kernels {

inline constexpr int64_t kIndexColumns = 32;  // a block: what the entries of an index are for

// What an entry is for each of the 32 columns of a block.
enum class IndexForm : uint8_t {
  triples16,  // 3 terms e: bytes 2e and 2e + 1, which find an int16 in a table of 8
  triples8,   // 6 terms: bytes e and 8 + f, in two tables of 8 bytes
  fives16,    // 15 terms, three times five bits from the least significant of 16 on, for int16 tables of 32
  fours8,     // 16 terms: bytes e, 16 + f, 32 + g, 48 + h, in four tables of 16 bytes
};
IndexForm index_form(QuantizedKind kind, Isa isa);

constexpr int64_t terms_of_entry(IndexForm form) {
  constexpr int64_t kTerms[] = {3, 6, 15, 16};
  return kTerms[static_cast<int>(form)];
}
constexpr int64_t bytes_of_entry(IndexForm form) { return kIndexColumns * (form == IndexForm::fours8 ? 4 : 2); }

// Made for the instruction set that is current when shape() is called; products with it use that one.
class QuantizedIndex {
 public:
  // Of a matrix [depth, columns]; allocates only where it never had so much.
  void shape(QuantizedKind kind, int64_t depth, int64_t columns);
  // Columns [first, last), `first` a multiple of 32, from Sᵀ [columns, first_term + depth or more], whose columns
  // before first_term, a multiple of 32, are passed over. Calls for the cuts of threads may run at once where `last` is
  // a multiple of 32 too, or the end.
  void fill(const SignBits& transposed, int64_t first, int64_t last, int64_t first_term = 0);

  QuantizedKind kind() const { return kind_; }
  Isa isa() const { return isa_; }
  IndexForm form() const { return index_form(kind_, isa_); }
  int64_t depth() const { return depth_; }
  int64_t columns() const { return columns_; }
  // Entry e of the block of columns [32 block, 32 block + 32). A block's entries lie in a row.
  uint8_t* entry(int64_t block, int64_t e) const {
    return entries_.at((block * entries_of_block_ + e) * bytes_of_entry(form()));
  }

  // What shape() takes.
  static int64_t memory(QuantizedKind kind, int64_t depth, int64_t columns);
  // What all of its shapes so far have taken.
  int64_t allocated() const { return entries_.bytes(); }

 private:
  QuantizedKind kind_ = QuantizedKind::int16;
  Isa isa_ = Isa::plain;
  int64_t depth_ = 0, columns_ = 0, entries_of_block_ = 0;
  Buffer<uint8_t> entries_;
};

}  // namespace bitsweep::kernels
