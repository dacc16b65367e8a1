#include "engine/bit_weight.h"

namespace bitsweep::engine {
namespace {

using kernels::kWordBits;
using kernels::SignBits;

constexpr int64_t kSourceBits = 64;

// Row r of out from row `from` of the source: its words are halved, and 1 becomes −1.
void unpack_row(const int64_t* bits, int64_t from, SignBits& out, int64_t r) {
  const int64_t* row = bits + from * ((out.columns() + kSourceBits - 1) / kSourceBits);
  for (int64_t w = 0; w < out.words(); ++w) {
    const auto half = static_cast<uint32_t>(static_cast<uint64_t>(row[w / 2]) >> (w % 2 * kWordBits));
    out.word(w)[r] = ~half & (w + 1 == out.words() ? out.last_word_mask() : ~0u);
  }
}

}  // namespace

BitWeight::BitWeight(int64_t outputs, int64_t inputs) : rows_(outputs, inputs), transposed_(inputs, outputs) {}

int64_t BitWeight::bytes(int64_t outputs, int64_t inputs) {
  return SignBits::bytes(outputs, inputs) + SignBits::bytes(inputs, outputs);
}

void BitWeight::pack(const SignSource& source, bool transposes, const Workers& workers) {
  in_ranges(workers, rows_.rows(), kWordBits, rows_.rows() * rows_.columns(), [&](int64_t first, int64_t last) {
    if (source.latents != nullptr) {
      kernels::pack_signs(source.latents, rows_, first, last);
    } else {
      for (int64_t r = first; r < last; ++r) unpack_row(source.bits, r, rows_, r);
    }
    if (transposes) kernels::transpose_signs(rows_, transposed_, first, last);
  });
}

void gather_rows(const SignSource& source, const int64_t* index, int64_t rows, SignBits& out, const Workers& workers) {
  in_ranges(workers, rows, kWordBits, rows * out.columns(), [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r) {
      if (source.latents != nullptr) {
        kernels::pack_row(source.latents + index[r] * out.columns(), out, r);
      } else {
        unpack_row(source.bits, index[r], out, r);
      }
    }
  });
}

}  // namespace bitsweep::engine
