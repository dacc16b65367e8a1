#include "nn/bits.h"

#include <ATen/ATen.h>

#include "nn/parallel.h"

namespace bitsweep::nn {
namespace {

constexpr int64_t kWord = 64;

at::Tensor bit_places(const at::Tensor& like) { return at::arange(kWord, like.options().dtype(at::kLong)); }

void pack_row(const bool* mask, int64_t columns, int64_t* words) {
  for (int64_t first = 0; first < columns; first += kWord) {
    const int64_t count = columns - first < kWord ? columns - first : kWord;
    uint64_t word = 0;
    for (int64_t i = 0; i < count; ++i) word |= static_cast<uint64_t>(mask[first + i]) << i;
    words[first / kWord] = static_cast<int64_t>(word);
  }
}

void unpack_row(const int64_t* words, int64_t columns, float* signs) {
  for (int64_t first = 0; first < columns; first += kWord) {
    const int64_t count = columns - first < kWord ? columns - first : kWord;
    const uint64_t word = static_cast<uint64_t>(words[first / kWord]);
    for (int64_t i = 0; i < count; ++i) signs[first + i] = (word >> i & 1) != 0 ? 1.0f : -1.0f;
  }
}

}  // namespace

int64_t words_of(int64_t columns) { return (columns + kWord - 1) / kWord; }

at::Tensor pack_bits(const at::Tensor& mask) {
  const int64_t rows = mask.size(0), columns = mask.size(1), words = words_of(columns);
  if (!mask.is_cpu()) {
    const at::Tensor padded = at::constant_pad_nd(mask, {0, words * kWord - columns}).view({rows, words, kWord});
    return padded.to(at::kLong).bitwise_left_shift(bit_places(mask)).sum(-1);
  }
  const at::Tensor plain = mask.contiguous();
  at::Tensor bits = at::empty({rows, words}, mask.options().dtype(at::kLong));
  const bool* from = plain.const_data_ptr<bool>();
  int64_t* to = bits.mutable_data_ptr<int64_t>();
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) pack_row(from + r * columns, columns, to + r * words);
  });
  return bits;
}

at::Tensor unpack_signs(const at::Tensor& bits, int64_t columns, at::ScalarType type) {
  const int64_t rows = bits.size(0), words = bits.size(1);
  if (!bits.is_cpu()) {
    const at::Tensor ones = bits.unsqueeze(-1).bitwise_right_shift(bit_places(bits)).bitwise_and(1);
    return ones.view({rows, words * kWord}).narrow(1, 0, columns).to(type).mul_(2).sub_(1);
  }
  at::Tensor signs = at::empty({rows, columns}, bits.options().dtype(at::kFloat));
  const int64_t* from = bits.const_data_ptr<int64_t>();
  float* to = signs.mutable_data_ptr<float>();
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) unpack_row(from + r * words, columns, to + r * columns);
  });
  return signs.to(type);
}

}  // namespace bitsweep::nn
