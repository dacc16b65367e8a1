#include "kernels/quantized_index.h"

#include <algorithm>
#include <cstring>

#include "base/simd.h"

namespace bitsweep::kernels {
namespace {

int64_t blocks_of(int64_t columns) { return (columns + kIndexColumns - 1) / kIndexColumns; }
int64_t entries_of(IndexForm form, int64_t depth) { return (depth + terms_of_entry(form) - 1) / terms_of_entry(form); }

BITSWEEP_INLINE uint16_t word_of(IndexForm form, uint32_t bits) {
  if (form == IndexForm::triples16) return static_cast<uint16_t>((bits & 7) * 0x0202u + 0x0100u);
  if (form == IndexForm::triples8) return static_cast<uint16_t>((bits & 7) | (bits & 0x38) << 5 | 0x0800u);
  return static_cast<uint16_t>(bits & 0x7fff);
}
BITSWEEP_INLINE uint32_t bytes_of(uint32_t bits) {
  bits &= 0xffff;
  bits = (bits | bits << 8) & 0x00ff00ffu;
  bits = (bits | bits << 4) & 0x0f0f0f0fu;
  return bits | 0x30201000u;
}

// An entry from terms `shift` on of the words `low` and `high`, in that order, of 32 columns.
template <IndexForm Form>
BITSWEEP_INLINE void fill_entry(const uint32_t* low, const uint32_t* high, int shift, uint8_t* entry) {
  uint32_t bits[kIndexColumns];
  // `high` is shifted in two steps, as one by 32 is not defined.
  for (int64_t j = 0; j < kIndexColumns; ++j) bits[j] = low[j] >> shift | high[j] << (31 - shift) << 1;
  if constexpr (Form == IndexForm::fours8) {
    uint32_t out[kIndexColumns];
    for (int64_t j = 0; j < kIndexColumns; ++j) out[j] = bytes_of(bits[j]);
    std::memcpy(entry, out, sizeof out);
  } else {
    uint16_t out[kIndexColumns];
    for (int64_t j = 0; j < kIndexColumns; ++j) out[j] = word_of(Form, bits[j]);
    std::memcpy(entry, out, sizeof out);
  }
}

// Terms beyond the last are any bits: there the rows' terms are 0.
template <IndexForm Form>
BITSWEEP_INLINE void fill_block(const SignBits& signs, int64_t first_word, int64_t column, int64_t entries,
                                uint8_t* to) {
  for (int64_t e = 0; e < entries; ++e, to += bytes_of_entry(Form)) {
    const int64_t term = e * terms_of_entry(Form), w = first_word + term / kWordBits;
    const uint32_t* low = signs.word(w) + column;
    const uint32_t* high = signs.word(std::min(w + 1, signs.words() - 1)) + column;
    fill_entry<Form>(low, high, static_cast<int>(term % kWordBits), to);
  }
}

BITSWEEP_CLONES void fill_blocks(const SignBits& signs, int64_t word, IndexForm form, int64_t first, int64_t last,
                                 const QuantizedIndex& index) {
  const int64_t entries = entries_of(form, index.depth());
  for (int64_t j = first; j < last; j += kIndexColumns) {
    uint8_t* const to = index.entry(j / kIndexColumns, 0);
    if (form == IndexForm::triples16) fill_block<IndexForm::triples16>(signs, word, j, entries, to);
    if (form == IndexForm::triples8) fill_block<IndexForm::triples8>(signs, word, j, entries, to);
    if (form == IndexForm::fives16) fill_block<IndexForm::fives16>(signs, word, j, entries, to);
    if (form == IndexForm::fours8) fill_block<IndexForm::fours8>(signs, word, j, entries, to);
  }
}

}  // namespace

IndexForm index_form(QuantizedKind kind, Isa isa) {
  if (kind == QuantizedKind::int16) return isa >= Isa::avx512 ? IndexForm::fives16 : IndexForm::triples16;
  return isa >= Isa::avx512_vpopcnt ? IndexForm::fours8 : IndexForm::triples8;
}

void QuantizedIndex::shape(QuantizedKind kind, int64_t depth, int64_t columns) {
  kind_ = kind;
  isa_ = current_isa();
  depth_ = depth;
  columns_ = columns;
  entries_of_block_ = entries_of(form(), depth);
  entries_.at_least(memory(kind, depth, columns));
}

int64_t QuantizedIndex::memory(QuantizedKind kind, int64_t depth, int64_t columns) {
  const IndexForm form = index_form(kind, current_isa());
  return blocks_of(columns) * entries_of(form, depth) * bytes_of_entry(form);
}

void QuantizedIndex::fill(const SignBits& transposed, int64_t first, int64_t last, int64_t first_term) {
  fill_blocks(transposed, first_term / kWordBits, form(), first, last, *this);
}

}  // namespace bitsweep::kernels
