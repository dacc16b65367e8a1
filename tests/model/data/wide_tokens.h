// Tokens of a made-up vocabulary of 1,000: the second kind of token source, beside bytes. Token i of the source is
// i * 7 mod 1,000, and token id t stands for t mod 5 bytes of text: some for none, as control tokens do.
#pragma once

#include <cassert>

#include "data/tokens.h"

namespace bitsweep::data {

class WideTokens final : public TokenSource {
 public:
  static constexpr int64_t kVocab = 1000;

  explicit WideTokens(uint64_t count) : count_(count) {}

  static int32_t token(uint64_t place) { return static_cast<int32_t>(place * 7 % kVocab); }
  static uint64_t bytes_of_token(int32_t token) { return static_cast<uint64_t>(token % 5); }

  int64_t vocab() const override { return kVocab; }
  uint64_t size() const override { return count_; }
  void windows(std::span<const uint64_t> starts, size_t length, TokenSpan to) const override {
    const auto out = std::get<std::span<int32_t>>(to);
    for (size_t w = 0; w < starts.size(); ++w)
      for (size_t i = 0; i < length; ++i) {
        assert(starts[w] + i < count_);
        out[w * length + i] = token(starts[w] + i);
      }
  }
  uint64_t text_bytes(const Segment& tokens) const override {
    uint64_t bytes = 0;
    for (uint64_t place = tokens.begin; place < tokens.end; ++place) bytes += bytes_of_token(token(place));
    return bytes;
  }

 private:
  uint64_t count_;
};

}  // namespace bitsweep::data
