// Words that were cut into tokens lately. Most words of a text come again: a lookup here is a tenth of cutting one.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "tokenize/tokenizer.h"

namespace bitsweep::tokenize {

// A table of one line of the processor's cache a word; a newcomer takes the place of whom it meets there, so that
// memory is bounded (4 MiB) whatever the text.
class WordCache {
 public:
  static constexpr size_t kLongestWord = 22, kMostTokens = 10;

  WordCache() : slots_(size_t{1} << kBits) {}

  // Null when the word is not there. Valid until the next put.
  const TokenId* find(std::string_view word, size_t& count) const {
    if (word.size() > kLongestWord) return nullptr;
    const Slot& slot = slots_[home(word)];
    if (slot.length != word.size() || std::memcmp(slot.text, word.data(), word.size()) != 0) return nullptr;
    count = slot.count;
    return slot.ids;
  }
  void put(std::string_view word, std::span<const TokenId> ids) {
    if (word.empty() || word.size() > kLongestWord || ids.size() > kMostTokens) return;
    Slot& slot = slots_[home(word)];
    slot.length = static_cast<uint8_t>(word.size());
    slot.count = static_cast<uint8_t>(ids.size());
    std::memcpy(slot.text, word.data(), word.size());
    std::memcpy(slot.ids, ids.data(), ids.size_bytes());
  }

 private:
  static constexpr int kBits = 16;
  struct alignas(64) Slot {
    uint8_t length = 0;  // 0: empty
    uint8_t count = 0;
    char text[kLongestWord];
    TokenId ids[kMostTokens];
  };
  static_assert(sizeof(Slot) == 64);

  static size_t home(std::string_view word) {
    uint64_t hash = word.size();
    for (size_t at = 0; at < word.size(); at += 8) {
      uint64_t part = 0;
      std::memcpy(&part, word.data() + at, std::min<size_t>(8, word.size() - at));
      hash = (hash ^ part) * UINT64_C(0x9E3779B97F4A7C15);
      hash ^= hash >> 32;
    }
    return (hash * UINT64_C(0xD6E8FEB86659FD93)) >> (64 - kBits);
  }

  std::vector<Slot> slots_;
};

}  // namespace bitsweep::tokenize
