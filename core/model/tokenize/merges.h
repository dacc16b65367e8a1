// Byte pair merges: which two tokens may become one, in what order, and a word's tokens by them.
#pragma once

#include <cstdint>
#include <vector>

#include "tokenize/tokenizer.h"

namespace bitsweep::tokenize {

// (left, right) -> (rank, merged), in one flat table: a lookup is a step or two in memory.
class MergeTable {
 public:
  struct Merge {
    uint32_t rank = kNone;  // lower is earlier
    TokenId merged = 0;
  };
  static constexpr uint32_t kNone = UINT32_MAX;

  // Room for `merges` of them.
  explicit MergeTable(size_t merges);
  // The first rank of a pair counts.
  void add(TokenId left, TokenId right, Merge merge);
  // rank kNone: they do not merge.
  Merge find(TokenId left, TokenId right) const;

 private:
  struct Slot {
    TokenId left = 0, right = 0;
    Merge merge;
  };
  size_t home(TokenId left, TokenId right) const;

  std::vector<Slot> slots_;  // a power of two of them, at most half full
  int shift_;
};

// Merges the pair of the lowest rank, the leftmost of equals, until none is left: `ids` [0, count) in, their number
// out. As Sennrich et al. 2016 (arXiv 1508.07909) apply what they learned. Time n² up to 64 tokens, n log n above.
class WordMerger {
 public:
  explicit WordMerger(const MergeTable& table) : table_(table) {}
  size_t merge(TokenId* ids, size_t count);

 private:
  size_t merge_short(TokenId* ids, size_t count) const;
  size_t merge_long(TokenId* ids, size_t count);

  struct Candidate {
    uint32_t rank, at;
    TokenId left, right, merged;
    // As a heap of the standard library has it: the greatest comes first.
    bool operator<(const Candidate& other) const { return rank != other.rank ? rank > other.rank : at > other.at; }
  };
  void consider(const TokenId* ids, size_t at);

  const MergeTable& table_;
  std::vector<uint32_t> next_, before_;
  std::vector<Candidate> heap_;
};

}  // namespace bitsweep::tokenize
