// The alphabets that a sweep can name as tokenizers, and how many tokens each knows: said here and nowhere else. What
// they do is room tokenize's (tokenize/byte_alphabet.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bitsweep::spec {

struct TokenizerWord {
  std::string_view name;
  int64_t vocab;
};

inline constexpr TokenizerWord known_tokenizers[] = {{"ascii128", 128}, {"bytes256", 256}};

// The word for shards of tokens of which nobody knows the vocabulary: a loss per token is all there is.
inline constexpr std::string_view no_tokenizer = "none";

inline std::vector<std::string> tokenizer_names() {
  std::vector<std::string> names;
  for (const TokenizerWord& word : known_tokenizers) names.emplace_back(word.name);
  return names;
}

// How a tokenizer is trained on a corpus, by SentencePiece: lossless, without a prefix, unknown text as bytes.
struct TokenizerRecipe {
  std::string kind = "bpe";
  int64_t vocab = 0;                           // tokens; 0: there is no recipe
  int64_t sample_bytes = INT64_C(64'000'000);  // of the training split, evenly spread, that it is trained on

  static const std::vector<std::string>& kinds() {
    static const std::vector<std::string> all{"bpe", "unigram"};
    return all;
  }
  bool operator==(const TokenizerRecipe&) const = default;
};

// Nothing for a tokenizer that is not known here, as that of a run made elsewhere.
inline std::optional<int64_t> vocabulary_of(std::string_view tokenizer) {
  for (const TokenizerWord& word : known_tokenizers)
    if (word.name == tokenizer) return word.vocab;
  return std::nullopt;
}

}  // namespace bitsweep::spec
