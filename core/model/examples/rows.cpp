#include "examples/rows.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"

namespace bitsweep::examples {
namespace {

using tokenize::TokenId;

// An example's tokens, with the runs of them that are to be said; counted from 0, not yet as targets.
struct Encoded {
  std::vector<TokenId> tokens;
  std::vector<Counted> said;
};

class ExampleEncoder {
 public:
  explicit ExampleEncoder(const tokenize::Tokenizer& tokenizer)
      : begin_(begin_token(tokenizer)), end_(end_tokens(tokenizer)), encoder_(tokenizer.make_encoder()) {}

  Encoded encode(const Example& example, bool everything) {
    Encoded encoded;
    encoded.tokens.push_back(begin_);
    for (const Example::Part& part : example.parts) {
      const auto from = static_cast<int64_t>(encoded.tokens.size());
      encoder_->encode(part.text, encoded.tokens);
      if (!part.said) continue;
      encoded.tokens.insert(encoded.tokens.end(), end_.begin(), end_.end());
      encoded.said.push_back({from, static_cast<int64_t>(encoded.tokens.size())});
    }
    if (everything) encoded.said = {{1, static_cast<int64_t>(encoded.tokens.size())}};
    return encoded;
  }

 private:
  TokenId begin_;
  std::vector<TokenId> end_;
  std::unique_ptr<tokenize::Encoder> encoder_;
};

// Drops tokens from the left, behind the first, until `most` are left; false when that would take an answer's own.
bool fit(Encoded& encoded, int64_t most, bool everything) {
  const int64_t surplus = static_cast<int64_t>(encoded.tokens.size()) - most;
  if (surplus <= 0) return true;
  if (!everything && encoded.said.back().to - encoded.said.back().from > most - 1) return false;
  encoded.tokens.erase(encoded.tokens.begin() + 1, encoded.tokens.begin() + 1 + surplus);
  std::vector<Counted> left;
  for (const Counted& said : encoded.said)
    if (const Counted moved{std::max<int64_t>(1, said.from - surplus), said.to - surplus}; moved.to > moved.from)
      left.push_back(moved);
  encoded.said = std::move(left);
  return true;
}

}  // namespace

std::vector<TokenId> end_tokens(const tokenize::Tokenizer& tokenizer) {
  return tokenizer.facts().eos ? std::vector{*tokenizer.facts().eos} : tokenizer.encode("\n");
}

tokenize::TokenId begin_token(const tokenize::Tokenizer& tokenizer) {
  if (tokenizer.facts().bos) return *tokenizer.facts().bos;
  const std::vector<TokenId> newline = tokenizer.encode("\n");
  return newline.empty() ? 0 : newline.back();
}

Rows::Rows(const tokenize::Tokenizer& tokenizer, const ExampleSet& set, const RowOptions& options) {
  ExampleEncoder encoder(tokenizer);
  const tokenize::ByteCounter counter(tokenizer);
  const int64_t most = options.context + 1;
  uint64_t cut = 0, left_out = 0;
  for (const Example& example : set.examples) {
    Encoded encoded = encoder.encode(example, options.everything);
    const bool long_one = static_cast<int64_t>(encoded.tokens.size()) > most;
    if (!fit(encoded, most, options.everything)) {
      ++left_out;
      continue;
    }
    cut += long_one;
    const bool joins =
        options.pack && !rows_.empty() && rows_.back().tokens + encoded.tokens.size() <= static_cast<size_t>(most);
    if (!joins) rows_.push_back({tokens_.size(), 0, counted_.size(), 0, 0});
    Row& row = rows_.back();
    const auto shift = static_cast<int64_t>(row.tokens) - 1;  // token i is target i - 1
    for (const Counted& said : encoded.said) {
      counted_.push_back({said.from + shift, said.to + shift});
      ++row.counts;
      const auto ids = std::span<const TokenId>(encoded.tokens)
                           .subspan(static_cast<size_t>(said.from), static_cast<size_t>(said.to - said.from));
      const auto bytes = static_cast<int64_t>(counter.count(ids, encoded.tokens[static_cast<size_t>(said.from) - 1]));
      row.bytes += bytes;
      total_bytes_ += bytes;
      total_targets_ += said.to - said.from;
    }
    tokens_.insert(tokens_.end(), encoded.tokens.begin(), encoded.tokens.end());
    row.tokens += encoded.tokens.size();
  }
  const auto told = [&](uint64_t count, const char* what) {
    if (count > 0)
      notes_.push_back(fmt::format("{} of {} examples {}.", format_thousands(static_cast<int64_t>(count)),
                                   format_thousands(static_cast<int64_t>(set.examples.size())), what));
  };
  told(cut, "are longer than data.context: what is read lost its left");
  told(left_out, "have an answer that is longer than data.context, and are left out");
  if (rows_.empty())
    throw Error(ErrorKind::input,
                fmt::format("no example is left to train on: {}", notes_.empty() ? "there are none" : notes_.back()));
}

std::span<const TokenId> Rows::tokens(int64_t row) const {
  const Row& of = rows_[static_cast<size_t>(row)];
  return std::span(tokens_).subspan(of.token, of.tokens);
}

std::span<const Counted> Rows::counted(int64_t row) const {
  const Row& of = rows_[static_cast<size_t>(row)];
  return std::span(counted_).subspan(of.counted, of.counts);
}

int64_t Rows::targets(int64_t row) const {
  int64_t targets = 0;
  for (const Counted& run : counted(row)) targets += run.to - run.from;
  return targets;
}

}  // namespace bitsweep::examples
