#include "tokenize/byte_tokenizer.h"

#include "base/sha256.h"
#include "tokenize/byte_alphabet.h"

namespace bitsweep::tokenize {
namespace {

TokenizerFacts facts_of(const ByteAlphabet& alphabet) {
  TokenizerFacts facts{.name = alphabet.name(),
                       .kind = "bytes",
                       .sha256 = sha256_hex(alphabet.name()),
                       .vocab = alphabet.vocab(),
                       .bos = {},
                       .eos = {},
                       .lossless = alphabet.knows_high_bytes(),
                       .loss = ""};
  if (!facts.lossless) facts.loss = "bytes outside ASCII become one token";
  return facts;
}

std::vector<std::string> one_byte_each(int64_t vocab) {
  std::vector<std::string> pieces;
  for (int64_t byte = 0; byte < vocab; ++byte) pieces.push_back({static_cast<char>(byte)});
  return pieces;
}

class ByteTokenizer final : public Tokenizer {
 public:
  explicit ByteTokenizer(ByteAlphabet alphabet)
      : Tokenizer(facts_of(alphabet), one_byte_each(alphabet.vocab())), alphabet_(std::move(alphabet)) {}

  std::unique_ptr<Encoder> make_encoder() const override { return std::make_unique<Spelling>(alphabet_); }

 private:
  class Spelling final : public Encoder {
   public:
    explicit Spelling(const ByteAlphabet& alphabet) : alphabet_(alphabet) {}
    void encode(std::string_view text, std::vector<TokenId>& ids) override {
      for (const char c : text) ids.push_back(alphabet_.encode(static_cast<uint8_t>(c)));
    }

   private:
    const ByteAlphabet& alphabet_;
  };

  ByteAlphabet alphabet_;
};

}  // namespace

std::shared_ptr<const Tokenizer> make_byte_tokenizer(std::string_view name) {
  return std::make_shared<ByteTokenizer>(ByteAlphabet(name));
}

}  // namespace bitsweep::tokenize
