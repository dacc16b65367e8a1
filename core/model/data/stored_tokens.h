// Tokens out of shards, one after the other, as a source that windows are cut from.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "data/shard_file.h"
#include "data/tokens.h"
#include "tokenize/tokenizer.h"

namespace bitsweep::data {

class StoredTokens final : public TokenSource {
 public:
  // `bytes`: what the tokens stand for; null where nobody knows, and then a token counts as one byte.
  StoredTokens(std::vector<ShardFile> shards, int64_t vocab, std::shared_ptr<const tokenize::ByteCounter> bytes);

  int64_t vocab() const override { return vocab_; }
  uint64_t size() const override { return begins_.back(); }
  // Throws Error{input} for a token beyond the vocabulary, naming file and place.
  void windows(std::span<const uint64_t> starts, size_t length, TokenSpan out) const override;
  uint64_t text_bytes(const Segment& tokens) const override;
  // Throws Error{input} as windows() for a token beyond the vocabulary.
  void check(const Segment& tokens) const;

 private:
  template <class Out>
  void copy(uint64_t start, std::span<Out> out) const;
  [[noreturn]] void refuse_token(size_t shard, uint64_t place, uint32_t token) const;
  size_t shard_of(uint64_t token) const;

  std::vector<ShardFile> shards_;
  std::vector<uint64_t> begins_;  // [shards + 1]: of each shard's first token
  int64_t vocab_;
  std::shared_ptr<const tokenize::ByteCounter> bytes_;
};

}  // namespace bitsweep::data
