// Byte-level BPE: a text is cut into words by regular expressions, and a word's bytes are merged by rank. The
// tokenizers of GPT-2, GPT-NeoX, Llama 3 and Qwen are this with other parts.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tokenize/merges.h"
#include "tokenize/splitter.h"
#include "tokenize/tokenizer.h"

namespace bitsweep::tokenize {

struct BpeParts {
  std::string name;
  std::vector<std::string> pieces;                  // [vocab] the bytes of each id; "" of control tokens and gaps
  std::vector<std::pair<TokenId, TokenId>> merges;  // in the order of their ranks; the joined bytes are a piece
  std::vector<Pattern> patterns;                    // each cuts what the one before it left
  std::vector<TokenId> added;                       // pieces that are matched in a text before it is cut
  bool nfc = false;                                 // the text is composed first
  bool whole_words = false;                         // a word that is a piece is not merged at all
  std::optional<TokenId> bos, eos;
};

class BpeTokenizer final : public Tokenizer {
 public:
  // REQUIRES parts that fit together, as read_tokenizer_json checks.
  explicit BpeTokenizer(const BpeParts& parts);
  std::unique_ptr<Encoder> make_encoder() const override;

 private:
  friend class BpeEncoder;
  static constexpr TokenId kNone = UINT32_MAX;

  // The added token at the begin of `text`, the longest; kNone.
  TokenId added_at(std::string_view text) const;

  std::vector<Pattern> patterns_;
  bool nfc_, whole_words_;
  std::array<TokenId, 256> byte_ids_;                    // kNone: the byte has no token, and is left out
  std::unordered_map<std::string_view, TokenId> words_;  // with whole_words_, into the pieces
  std::array<std::vector<TokenId>, 256> added_;          // by their first byte, longest first
  bool any_added_ = false;
  MergeTable merges_;
};

}  // namespace bitsweep::tokenize
