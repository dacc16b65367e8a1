#include "kernels/sign_bits.h"

#include <algorithm>
#include <bit>

#include "base/simd.h"
#include "kernels/isa.h"
#include "kernels/sign_bit_isas.h"

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

// Bit by bit, whether more than half of the words from[index[0, count)] have it. Each bit has a counter, whose bits lie
// in `planes`; it begins as far below its overflow as are needed.
uint32_t majority(const uint32_t* from, const int32_t* index, int64_t count) {
  constexpr int kPlanes = std::bit_width(static_cast<uint64_t>(kMostVotes));
  const auto begin = (uint32_t{1} << kPlanes) - static_cast<uint32_t>(count / 2 + 1);
  uint32_t planes[kPlanes], over = 0;
  for (int p = 0; p < kPlanes; ++p) planes[p] = begin >> p & 1 ? ~0u : 0u;
  for (int64_t k = 0; k < count; ++k) {
    uint32_t carry = from[index[k]];
    for (uint32_t& plane : planes) {
      const uint32_t sum = plane ^ carry;
      carry &= plane;
      plane = sum;
    }
    over |= carry;
  }
  return over;
}

BITSWEEP_CLONES void pack_row_plain(const float* row, SignBits& out, int64_t r) {
  const int64_t columns = out.columns();
  int64_t w = 0;
  for (; (w + 1) * kWordBits <= columns; ++w) out.word(w)[r] = signs_of(row + w * kWordBits, kWordBits);
  if (w < out.words()) out.word(w)[r] = signs_of(row + w * kWordBits, columns - w * kWordBits);
}

BITSWEEP_CLONES void transpose_signs_plain(const SignBits& in, SignBits& out, int64_t first, int64_t last) {
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

void pack_row(const float* row, SignBits& out, int64_t r) {
#ifdef BITSWEEP_INTRINSICS
  if (current_isa() >= Isa::avx512) return pack_row_avx512(row, out, r);
#endif
  pack_row_plain(row, out, r);
}

void pack_signs(const float* x, SignBits& out, int64_t first, int64_t last) {
  for (int64_t r = first; r < last; ++r) pack_row(x + r * out.columns(), out, r);
}

void transpose_signs(const SignBits& in, SignBits& out, int64_t first, int64_t last) {
#ifdef BITSWEEP_INTRINSICS
  if (current_isa() >= Isa::avx512) return transpose_signs_avx512(in, out, first, last);
#endif
  transpose_signs_plain(in, out, first, last);
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

BITSWEEP_CLONES void unpack_signs_to(const SignBits& in, int64_t rows, float* out) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t column = 0; column < in.columns(); column += kWordBits) {
      const uint32_t bits = in.word(column / kWordBits)[r];
      const int64_t count = std::min(kWordBits, in.columns() - column);
      for (int64_t c = 0; c < count; ++c) out[c] = std::bit_cast<float>(0x3f800000u | (bits >> c & 1u) << 31);
      out += count;
    }
  }
}

void vote_columns(const SignBits& in, const int32_t* index, int64_t keys, int64_t first, int64_t begin, int64_t end,
                  int64_t column, int64_t count, SignBits& out) {
  for (int64_t w = column / kWordBits; w * kWordBits < column + count; ++w) {
    const int64_t low = std::max<int64_t>(column - w * kWordBits, 0);
    const int64_t high = std::min(column + count - w * kWordBits, kWordBits);
    const uint32_t mask = (high == kWordBits ? ~0u : (1u << high) - 1) & ~((1u << low) - 1);
    const uint32_t* from = in.word(w) + first;
    uint32_t* to = out.word(w) + first;
    if (keys == 1) {
      for (int64_t t = begin; t < end; ++t) to[t] |= from[index[t]] & mask;
    } else {
      for (int64_t t = begin; t < end; ++t) to[t] |= majority(from, index + t * keys, std::min(keys, t + 1)) & mask;
    }
  }
}

}  // namespace bitsweep::kernels
