#include "tokenize/tokenizer.h"

namespace bitsweep::tokenize {

std::vector<TokenId> Tokenizer::encode(std::string_view text) const {
  std::vector<TokenId> ids;
  make_encoder()->encode(text, ids);
  return ids;
}

std::string Tokenizer::decode(std::span<const TokenId> ids) const {
  std::string text;
  for (const TokenId id : ids) text += bytes(id);
  if (facts_.dummy_prefix && text.starts_with(' ')) text.erase(0, 1);
  return text;
}

ByteCounter::ByteCounter(const Tokenizer& tokenizer)
    : bos_(tokenizer.facts().bos), eos_(tokenizer.facts().eos), dummy_prefix_(tokenizer.facts().dummy_prefix) {
  for (int64_t id = 0; id < tokenizer.vocab(); ++id) {
    const std::string_view piece = tokenizer.bytes(static_cast<TokenId>(id));
    lengths_.push_back(static_cast<uint32_t>(piece.size()));
    spaced_.push_back(piece.starts_with(' '));
  }
}

template <class Id>
uint64_t ByteCounter::count(std::span<const Id> ids, std::optional<TokenId> before) const {
  uint64_t bytes = 0;
  bool opens = before && opens_text(*before);
  for (const Id id : ids) {
    bytes += lengths_[id] - (opens && spaced_[id] ? 1 : 0);
    opens = opens_text(id);
  }
  return bytes;
}

template uint64_t ByteCounter::count(std::span<const uint16_t>, std::optional<TokenId>) const;
template uint64_t ByteCounter::count(std::span<const uint32_t>, std::optional<TokenId>) const;
template uint64_t ByteCounter::count(std::span<const int32_t>, std::optional<TokenId>) const;

}  // namespace bitsweep::tokenize
