#include "kernels/sign_bits.h"

#include <algorithm>

#include "base/simd.h"

namespace bitsweep::kernels {
namespace {

// Vectors of 16 words may begin at any row; an odd number of lines keeps words of one row out of each other's way.
constexpr int64_t kSpareRows = 16;

int64_t stride_of(int64_t rows) { return rounded_up(rows, kWordBits) + kSpareRows; }
int64_t words_of_columns(int64_t columns) { return (columns + kWordBits - 1) / kWordBits; }

// Bits of x[0, count), count <= 32.
BITSWEEP_INLINE uint32_t signs_of(const float* x, int64_t count) {
  uint32_t bits = 0;
  for (int64_t i = 0; i < count; ++i) bits |= static_cast<uint32_t>(!(x[i] >= 0.0f)) << i;
  return bits;
}

// The 32 rows that x has as words become the 32 columns of the same block transposed (Hacker's Delight, 7-3, for least
// significant bits first).
BITSWEEP_INLINE void transpose_block(uint32_t* x) {
  uint32_t mask = 0x0000ffff;
  for (int width = 16; width != 0; width >>= 1, mask ^= mask << width) {
    for (int i = 0; i < 32; i = (i + width + 1) & ~width) {
      const uint32_t swapped = (x[i] >> width ^ x[i + width]) & mask;
      x[i] ^= swapped << width;
      x[i + width] ^= swapped;
    }
  }
}

}  // namespace

SignBits::SignBits(int64_t rows, int64_t columns)
    : rows_(rows),
      columns_(columns),
      words_(words_of_columns(columns)),
      stride_(stride_of(rows)),
      bits_(words_ * stride_) {}

uint32_t SignBits::last_word_mask() const {
  const int64_t used = columns_ - (words_ - 1) * kWordBits;
  return used == kWordBits ? ~0u : (1u << used) - 1;
}

int64_t SignBits::bytes(int64_t rows, int64_t columns) {
  return words_of_columns(columns) * stride_of(rows) * static_cast<int64_t>(sizeof(uint32_t));
}

BITSWEEP_CLONES void pack_signs(const float* x, SignBits& out, int64_t first, int64_t last) {
  const int64_t columns = out.columns();
  for (int64_t r = first; r < last; ++r) {
    const float* row = x + r * columns;
    int64_t w = 0;
    for (; (w + 1) * kWordBits <= columns; ++w) out.word(w)[r] = signs_of(row + w * kWordBits, kWordBits);
    if (w < out.words()) out.word(w)[r] = signs_of(row + w * kWordBits, columns - w * kWordBits);
  }
}

BITSWEEP_CLONES void transpose_signs(const SignBits& in, SignBits& out, int64_t first, int64_t last) {
  uint32_t block[kWordBits];
  for (int64_t w = 0; w < in.words(); ++w) {
    const int64_t columns = std::min(kWordBits, in.columns() - w * kWordBits);
    for (int64_t r = first; r < last; r += kWordBits) {
      const int64_t rows = std::min(kWordBits, last - r);
      std::copy_n(in.word(w) + r, rows, block);
      std::fill(block + rows, block + kWordBits, 0u);
      transpose_block(block);
      std::copy_n(block, columns, out.word(r / kWordBits) + w * kWordBits);
    }
  }
}

void gather_signs(const SignBits& table, const int64_t* index, SignBits& out, int64_t first, int64_t last) {
  for (int64_t w = 0; w < out.words(); ++w) {
    const uint32_t* from = table.word(w);
    uint32_t* to = out.word(w);
    for (int64_t r = first; r < last; ++r) to[r] = from[index[r]];
  }
}

BITSWEEP_CLONES void multiply_signs(const SignBits& a, const SignBits& b, SignBits& out, int64_t first, int64_t last) {
  for (int64_t w = 0; w < out.words(); ++w) {
    const uint32_t *x = a.word(w), *y = b.word(w);
    uint32_t* o = out.word(w);
    for (int64_t r = first; r < last; ++r) o[r] = x[r] ^ y[r];
  }
}

BITSWEEP_CLONES void majority_signs(const SignBits& a, const SignBits& b, const SignBits& c, SignBits& out,
                                    int64_t first, int64_t last) {
  for (int64_t w = 0; w < out.words(); ++w) {
    const uint32_t *x = a.word(w), *y = b.word(w), *z = c.word(w);
    uint32_t* o = out.word(w);
    for (int64_t r = first; r < last; ++r) o[r] = (x[r] & y[r]) | (z[r] & (x[r] | y[r]));
  }
}

BITSWEEP_CLONES void take_columns(const SignBits& in, int64_t first, int64_t rows, int64_t column, int64_t count,
                                  SignBits& out) {
  const int64_t shift = column % kWordBits;
  for (int64_t w = 0; w * kWordBits < count; ++w) {
    const int64_t at = column / kWordBits + w, used = std::min(kWordBits, count - w * kWordBits);
    const uint32_t mask = used == kWordBits ? ~0u : (1u << used) - 1;
    const uint32_t* low = in.word(at) + first;
    uint32_t* o = out.word(w);
    if (shift + used <= kWordBits) {
      for (int64_t r = 0; r < rows; ++r) o[r] = low[r] >> shift & mask;
    } else {
      const uint32_t* high = in.word(at + 1) + first;
      for (int64_t r = 0; r < rows; ++r) o[r] = (low[r] >> shift | high[r] << (kWordBits - shift)) & mask;
    }
  }
}

BITSWEEP_CLONES void put_columns(const SignBits& part, int64_t rows, int64_t count, SignBits& out, int64_t first,
                                 int64_t column) {
  const int64_t shift = column % kWordBits;
  for (int64_t w = 0; w * kWordBits < count; ++w) {
    const int64_t at = column / kWordBits + w, used = std::min(kWordBits, count - w * kWordBits);
    const uint32_t* x = part.word(w);
    uint32_t* low = out.word(at) + first;
    for (int64_t r = 0; r < rows; ++r) low[r] |= x[r] << shift;
    if (shift + used <= kWordBits) continue;
    uint32_t* high = out.word(at + 1) + first;
    for (int64_t r = 0; r < rows; ++r) high[r] |= x[r] >> (kWordBits - shift);
  }
}

}  // namespace bitsweep::kernels
