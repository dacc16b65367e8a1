// Tokenizers: a text's bytes as ids of a vocabulary, and the bytes that each id stands for.
//
//   const auto tokenizer = tokenize::open_tokenizer("gpt2/tokenizer.json");
//   const auto encoder = tokenizer->make_encoder();          // one a thread
//   encoder->encode(text, ids);
//   tokenizer->decode(ids) == text                           // where facts().lossless
//
// Text never yields a control token, whatever stands in it: BOS, EOS and the like are put in by who joins texts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bitsweep::tokenize {

using TokenId = uint32_t;

struct TokenizerFacts {
  std::string name;    // for people: "bytes256", "gpt2/tokenizer.json"
  std::string kind;    // "bytes", "SentencePiece BPE", "byte-level BPE", …
  std::string sha256;  // over what decides ids, and nothing else: 64 hex digits
  int64_t vocab = 0;   // ids lie below it
  std::optional<TokenId> bos, eos;
  // Whether decode gives back every text. Where not, why, as a clause: "its normalizer (nmt_nfkc) changes text".
  bool lossless = true;
  std::string loss;
  // A piece that opens a text has a space in front of it that is none of the text's.
  bool dummy_prefix = false;
};

// Cuts texts into tokens. Not thread-safe: it remembers words that it has seen.
class Encoder {
 public:
  virtual ~Encoder() = default;
  // Appends the ids of `text`, taken as one whole: how its ends are cut may depend on their being ends.
  virtual void encode(std::string_view text, std::vector<TokenId>& ids) = 0;
};

// Immutable, and shared between threads.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  const TokenizerFacts& facts() const { return facts_; }
  int64_t vocab() const { return facts_.vocab; }

  virtual std::unique_ptr<Encoder> make_encoder() const = 0;
  std::vector<TokenId> encode(std::string_view text) const;

  // What the id stands for within a text; "" for control tokens and for the unknown one. REQUIRES id < vocab().
  std::string_view bytes(TokenId id) const { return pieces_[id]; }
  // The text that was encoded: a dummy prefix is taken off.
  std::string decode(std::span<const TokenId> ids) const;

 protected:
  // pieces [vocab]: the bytes of each id.
  Tokenizer(TokenizerFacts facts, std::vector<std::string> pieces)
      : facts_(std::move(facts)), pieces_(std::move(pieces)) {}

 private:
  TokenizerFacts facts_;
  std::vector<std::string> pieces_;
};

// How many bytes of text tokens stand for, by a table: the denominator of a loss per byte.
class ByteCounter {
 public:
  explicit ByteCounter(const Tokenizer& tokenizer);
  // `before`: the token in front of them, where there is one. A piece behind BOS or EOS opens a text.
  template <class Id>
  uint64_t count(std::span<const Id> ids, std::optional<TokenId> before) const;

 private:
  bool opens_text(TokenId before) const { return dummy_prefix_ && (before == bos_ || before == eos_); }

  std::vector<uint32_t> lengths_;  // of each id
  std::vector<uint8_t> spaced_;    // whether its piece begins with a space
  std::optional<TokenId> bos_, eos_;
  bool dummy_prefix_;
};

extern template uint64_t ByteCounter::count(std::span<const uint16_t>, std::optional<TokenId>) const;
extern template uint64_t ByteCounter::count(std::span<const uint32_t>, std::optional<TokenId>) const;
extern template uint64_t ByteCounter::count(std::span<const int32_t>, std::optional<TokenId>) const;

}  // namespace bitsweep::tokenize
