#include "data/stored_tokens.h"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"

namespace bitsweep::data {

StoredTokens::StoredTokens(std::vector<ShardFile> shards, int64_t vocab,
                           std::shared_ptr<const tokenize::ByteCounter> bytes)
    : shards_(std::move(shards)), begins_{0}, vocab_(vocab), bytes_(std::move(bytes)) {
  for (const ShardFile& shard : shards_) begins_.push_back(begins_.back() + shard.size());
}

size_t StoredTokens::shard_of(uint64_t token) const {
  return static_cast<size_t>(std::upper_bound(begins_.begin(), begins_.end(), token) - begins_.begin()) - 1;
}

void StoredTokens::refuse_token(size_t shard, uint64_t place, uint32_t token) const {
  throw Error(ErrorKind::input,
              fmt::format("'{}': token {} at {} is beyond the vocabulary of {}: the file is damaged, or another "
                          "tokenizer's",
                          shards_[shard].path().string(), token, format_thousands(static_cast<int64_t>(place)),
                          format_thousands(vocab_)));
}

template <class Out>
void StoredTokens::copy(uint64_t start, std::span<Out> out) const {
  for (size_t shard = shard_of(start), done = 0; done < out.size(); ++shard) {
    const uint64_t at = start + done - begins_[shard];
    const size_t count = std::min<uint64_t>(out.size() - done, shards_[shard].size() - at);
    std::visit(
        [&](auto tokens) {
          const auto* __restrict in = tokens.data() + at;
          Out* __restrict to = out.data() + done;
          uint32_t most = 0;
          for (size_t i = 0; i < count; ++i) {
            most = std::max<uint32_t>(most, in[i]);
            to[i] = static_cast<Out>(in[i]);
          }
          if (most < static_cast<uint64_t>(vocab_)) return;
          for (size_t i = 0; i < count; ++i)
            if (in[i] >= static_cast<uint64_t>(vocab_)) refuse_token(shard, at + i, in[i]);
        },
        shards_[shard].tokens());
    done += count;
  }
}

void StoredTokens::windows(std::span<const uint64_t> starts, size_t length, TokenSpan to) const {
  std::visit(
      [&](auto out) {
        assert(out.size() == starts.size() * length);
        constexpr size_t ahead = 8;  // as ByteTokens
        for (size_t i = 0; i < starts.size(); ++i) {
          if (i + ahead < starts.size()) {
            const uint64_t next = starts[i + ahead];
            const size_t shard = shard_of(next);
            std::visit([&](auto tokens) { __builtin_prefetch(tokens.data() + (next - begins_[shard])); },
                       shards_[shard].tokens());
          }
          copy(starts[i], out.subspan(i * length, length));
        }
      },
      to);
}

void StoredTokens::check(const Segment& segment) const {
  std::vector<uint32_t> tokens(std::min<uint64_t>(segment.size(), 1 << 16));
  for (uint64_t at = segment.begin; at < segment.end; at += tokens.size()) {
    tokens.resize(std::min<uint64_t>(tokens.size(), segment.end - at));
    copy(at, std::span(tokens));
  }
}

uint64_t StoredTokens::text_bytes(const Segment& segment) const {
  if (bytes_ == nullptr) return segment.size();
  std::vector<uint32_t> tokens(std::min<uint64_t>(segment.size(), 1 << 16));
  std::optional<tokenize::TokenId> before;
  if (segment.begin > 0) {
    uint32_t last = 0;
    copy(segment.begin - 1, std::span(&last, 1));
    before = last;
  }
  uint64_t bytes = 0;
  for (uint64_t at = segment.begin; at < segment.end;) {
    const std::span<uint32_t> part = std::span(tokens).first(std::min<uint64_t>(tokens.size(), segment.end - at));
    copy(at, part);
    bytes += bytes_->count(std::span<const uint32_t>(part), before);
    before = part.back();
    at += part.size();
  }
  return bytes;
}

}  // namespace bitsweep::data
