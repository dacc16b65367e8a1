// Tokens: integers of any width, and the bytes of text that each stands for. What a dataset cuts its windows from.
//
// Where a token is a byte (ByteTokens), token i is byte i of the text. Another source has tokens of several bytes, or
// some of none; a loss per byte is then the sum over tokens by text_bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <variant>

#include "data/split.h"
#include "tokenize/byte_alphabet.h"

namespace bitsweep::data {

class CorpusText;  // data/corpus.h

// What holds a token of a batch: a vocabulary of up to 256 fits into a byte.
enum class TokenWidth { byte, int32 };

inline TokenWidth width_of(int64_t vocab) { return vocab <= 256 ? TokenWidth::byte : TokenWidth::int32; }

// Where the tokens of a batch go; of the source's width.
using TokenSpan = std::variant<std::span<uint8_t>, std::span<int32_t>>;

class TokenSource {
 public:
  virtual ~TokenSource() = default;

  virtual int64_t vocab() const = 0;
  virtual uint64_t size() const = 0;  // in tokens
  // Windows of `length` tokens that begin at `starts` into out [starts.size(), length] of width_of(vocab()).
  virtual void windows(std::span<const uint64_t> starts, size_t length, TokenSpan out) const = 0;
  // Bytes of text that the tokens of the segment stand for.
  virtual uint64_t text_bytes(const Segment& tokens) const = 0;
};

// A text whose tokens are its bytes.
class ByteTokens final : public TokenSource {
 public:
  ByteTokens(std::shared_ptr<const CorpusText> text, tokenize::ByteAlphabet tokenizer);

  int64_t vocab() const override { return tokenizer_.vocab(); }
  uint64_t size() const override;
  void windows(std::span<const uint64_t> starts, size_t length, TokenSpan out) const override;
  uint64_t text_bytes(const Segment& tokens) const override { return tokens.size(); }

 private:
  std::shared_ptr<const CorpusText> text_;
  tokenize::ByteAlphabet tokenizer_;
};

}  // namespace bitsweep::data
