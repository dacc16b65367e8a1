#include "tokenize/train.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_map>

#include <sentencepiece_trainer.h>

#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/units.h"
#include "tokenize/sentence_piece.h"

namespace bitsweep::tokenize {
namespace {

constexpr int kRecipeVersion = 1;      // raised with every change of what is given to the library
constexpr size_t kLongestLine = 4096;  // the library leaves longer ones out

constexpr int64_t kBytes = 256, kControlTokens = 3;  // unknown, BOS and EOS

// Lines of texts, longer ones in parts of whole characters.
class Lines final : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(const std::vector<std::string_view>& texts) : texts_(texts) { Next(); }
  bool done() const override { return done_; }
  const std::string& value() const override { return line_; }
  sentencepiece::util::Status status() const override { return {}; }
  void Next() override {
    for (; text_ < texts_.size(); ++text_, at_ = 0) {
      while (at_ < texts_[text_].size()) {
        const std::string_view rest = texts_[text_].substr(at_);
        const size_t newline = std::min(rest.find('\n'), rest.size());
        const size_t length = std::min(newline, whole_characters(rest.substr(0, newline)));
        at_ += length == newline ? newline + 1 : length;
        if (length == 0) continue;
        line_ = rest.substr(0, length);
        return;
      }
    }
    done_ = true;
  }

 private:
  static size_t whole_characters(std::string_view line) {
    if (line.size() <= kLongestLine) return line.size();
    size_t length = kLongestLine;
    while (length > 1 && (static_cast<uint8_t>(line[length]) & 0xC0) == 0x80) --length;
    return length;
  }

  const std::vector<std::string_view>& texts_;
  size_t text_ = 0, at_ = 0;
  std::string line_;
  bool done_ = false;
};

// The library's "src/file.cc(660) [condition] reason" without what is its own.
std::string reason_of(const std::string& message) {
  const size_t bracket = message.rfind("] ");
  return bracket == std::string::npos ? message : message.substr(bracket + 2);
}

// Of "Vocabulary size is smaller than required_chars. 300 vs 350. …" the second number: the least vocabulary that holds
// what every one of this text does. Nothing for another complaint.
std::optional<int64_t> least_vocabulary(const std::string& reason) {
  constexpr std::string_view kComplaint = "smaller than required_chars", kBetween = " vs ";
  const size_t begin = reason.find(kComplaint);
  const size_t at = begin == std::string::npos ? begin : reason.find(kBetween, begin);
  if (at == std::string::npos) return std::nullopt;
  int64_t least = 0;
  const char* digits = reason.data() + at + kBetween.size();
  const bool read = std::from_chars(digits, reason.data() + reason.size(), least).ec == std::errc();
  return read ? std::optional(least) : std::nullopt;
}

std::string why_not(const std::string& reason) {
  const auto least = least_vocabulary(reason);
  if (!least) return reason;
  return fmt::format(
      "a vocabulary holds {} bytes, {} control tokens and the text's characters, here {}, before any "
      "longer token: data.tokenizer.train.vocab must be at least {}",
      kBytes, kControlTokens, format_thousands(*least - kBytes - kControlTokens), format_thousands(*least));
}

}  // namespace

std::string trained_name(const spec::TokenizerRecipe& recipe, std::string_view text) {
  return sha256_hex(canonical_json(json::object{{"version", kRecipeVersion},
                                                {"library", "SentencePiece " + sentence_piece_version()},
                                                {"kind", recipe.kind},
                                                {"vocab", recipe.vocab},
                                                {"sample", recipe.sample_bytes},
                                                {"text", text}}));
}

std::string train_sentence_piece(const spec::TokenizerRecipe& recipe, const std::vector<std::string_view>& texts) {
  const std::unordered_map<std::string, std::string> settings{
      {"model_type", recipe.kind},
      {"vocab_size", std::to_string(recipe.vocab)},
      {"normalization_rule_name", "identity"},
      {"add_dummy_prefix", "false"},
      {"remove_extra_whitespaces", "false"},
      {"allow_whitespace_only_pieces", "true"},
      {"byte_fallback", "true"},
      {"num_threads", "1"},
      {"max_sentence_length", std::to_string(2 * kLongestLine)},
      {"minloglevel", "2"},
  };
  Lines lines(texts);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(settings, &lines, &model);
  if (!status.ok())
    throw Error(ErrorKind::input,
                fmt::format("data.tokenizer: no {} of {} tokens could be trained on this text: {}", recipe.kind,
                            format_thousands(recipe.vocab), why_not(reason_of(status.message()))));
  return model;
}

}  // namespace bitsweep::tokenize
