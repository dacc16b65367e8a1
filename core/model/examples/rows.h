// Examples as rows of tokens: what a training sequence is when it is no window of a text.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "examples/example.h"
#include "tokenize/tokenizer.h"

namespace bitsweep::examples {

// What ends an answer: EOS, else a newline's tokens.
std::vector<tokenize::TokenId> end_tokens(const tokenize::Tokenizer& tokenizer);

// What stands in front of each example, so that its first token has something before it: BOS, else what a newline ends
// in.
tokenize::TokenId begin_token(const tokenize::Tokenizer& tokenizer);

// The targets that count, as a run of them: target t is the token after token t of the row.
struct Counted {
  int64_t from = 0, to = 0;
  bool operator==(const Counted&) const = default;
};

struct RowOptions {
  int64_t context = 0;      // a row has at most so many targets
  bool everything = false;  // every token but the first counts, not the answers' alone
  bool pack = false;        // rows hold as many examples as fit, one behind the other
};

// Rows one behind the other.
class Rows {
 public:
  // Examples whose answers do not fit are left out; a prompt that is too long loses its left. Both are told. Throws
  // Error{input} when nothing is left.
  Rows(const tokenize::Tokenizer& tokenizer, const ExampleSet& set, const RowOptions& options);

  int64_t count() const { return static_cast<int64_t>(rows_.size()); }
  std::span<const tokenize::TokenId> tokens(int64_t row) const;  // at most context + 1
  std::span<const Counted> counted(int64_t row) const;
  int64_t targets(int64_t row) const;  // that count
  // Of text, that these stand for; an EOS stands for none, a newline in its place for one.
  int64_t bytes(int64_t row) const { return rows_[static_cast<size_t>(row)].bytes; }
  // Of all rows together.
  int64_t total_targets() const { return total_targets_; }
  int64_t total_bytes() const { return total_bytes_; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Row {
    size_t token = 0, tokens = 0, counted = 0, counts = 0;  // where its own begin, and how many
    int64_t bytes = 0;
  };

  std::vector<tokenize::TokenId> tokens_;
  std::vector<Counted> counted_;
  std::vector<Row> rows_;
  int64_t total_targets_ = 0, total_bytes_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace bitsweep::examples
