#include "data/tokens.h"

#include <cassert>

#include "data/corpus.h"

namespace bitsweep::data {

ByteTokens::ByteTokens(std::shared_ptr<const CorpusText> text, tokenize::ByteAlphabet tokenizer)
    : text_(std::move(text)), tokenizer_(std::move(tokenizer)) {}

uint64_t ByteTokens::size() const { return text_->bytes().size(); }

void ByteTokens::windows(std::span<const uint64_t> starts, size_t length, TokenSpan to) const {
  const std::span<uint8_t> out = std::get<std::span<uint8_t>>(to);
  assert(out.size() == starts.size() * length);
  const std::span<const uint8_t> text = text_->bytes();
  constexpr size_t ahead = 8;  // windows lie anywhere in the text: ask for their first lines before they are needed
  for (size_t i = 0; i < starts.size(); ++i) {
    if (i + ahead < starts.size()) {
      __builtin_prefetch(text.data() + starts[i + ahead]);
      __builtin_prefetch(text.data() + starts[i + ahead] + 64);
    }
    tokenizer_.encode(text.subspan(starts[i], length), out.data() + i * length);
  }
}

}  // namespace bitsweep::data
